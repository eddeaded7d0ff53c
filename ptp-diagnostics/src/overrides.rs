//! The three settings that the service before this one took from its environment.

use ptp_events::SyncState;

use crate::Settings;
use crate::settings::alert_resources;

/// What to set otherwise than the file, or the default, says.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `ALERT_OFFSET_THRESHOLD`: [`Settings::offset_ns`].
    pub offset_ns: Option<u64>,
    /// `ALERT_SYNC_STATES`: [`Settings::lost_states`].
    pub lost_states: Option<Vec<String>>,
    /// `ALERT_EVENT_TYPES`: [`Settings::alert_resources`].
    pub alert_resources: Option<Vec<String>>,
}

impl Overrides {
    /// Sets them.
    ///
    /// # Errors
    /// When a name is no resource; the others are set all the same.
    pub fn apply(&self, settings: &mut Settings) -> Result<(), String> {
        if let Some(offset) = self.offset_ns {
            settings.offset_ns = offset;
            settings.offset_critical_ns = settings.offset_critical_ns.max(offset);
        }
        if let Some(states) = &self.lost_states {
            let states = states.iter().map(|state| state.trim()).filter(|state| !state.is_empty());
            settings.lost_states = states.map(SyncState::from).collect();
        }
        if let Some(names) = &self.alert_resources {
            let resources = alert_resources(names.iter().map(String::as_str))?;
            settings.alert_resources = Some(resources);
        }
        Ok(())
    }
}
