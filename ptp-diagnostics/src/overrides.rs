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
    /// When a name is no state or no resource, with the option and the variable; the others are set all
    /// the same.
    pub fn apply(&self, settings: &mut Settings) -> Result<(), String> {
        let mut wrong = Ok(());
        if let Some(offset) = self.offset_ns {
            settings.offset_ns = offset;
            settings.offset_critical_ns = settings.offset_critical_ns.max(offset);
        }
        if let Some(states) = &self.lost_states {
            let states = states.iter().map(|state| state.trim()).filter(|state| !state.is_empty());
            let states: Vec<_> = states.map(SyncState::from).collect();
            let unknown = states.iter().find(|state| matches!(state, SyncState::Other(_)));
            if let Some(unknown) = unknown {
                wrong = Err(format!(
                    "--lost-states (ALERT_SYNC_STATES): `{unknown}` is no state, such as FREERUN"
                ));
            }
            settings.lost_states = states;
        }
        if let Some(names) = &self.alert_resources {
            match alert_resources(names.iter().map(String::as_str)) {
                Ok(resources) => settings.alert_resources = Some(resources),
                Err(error) => {
                    wrong =
                        wrong.and(Err(format!("--alert-resources (ALERT_EVENT_TYPES): {error}")));
                }
            }
        }
        wrong
    }
}
