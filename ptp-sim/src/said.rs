//! What a publisher has said, before it is delivered.

use ptp_events::recording::Origin;
use ptp_events::{ClockClass, Instance, Measurement, QualityLevel, Reading, Resource, SyncState};

/// One thing said.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// By which node.
    pub(crate) node: usize,
    /// When, in true ns since the scenario's start.
    pub(crate) at: i64,
    /// The speaker's system clock minus true time, in ns.
    pub(crate) stamp_error_ns: i64,
    pub(crate) origin: Origin,
    pub(crate) resource: Resource,
    pub(crate) reading: Reading,
}

impl Said {
    pub(crate) const fn new(
        node: usize,
        at: i64,
        origin: Origin,
        resource: Resource,
        reading: Reading,
    ) -> Self {
        Self { node, at, stamp_error_ns: 0, origin, resource, reading }
    }
}

/// The last reading of each resource.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table([Option<Reading>; 7]);

/// The order in which a subscriber goes through them, as in the recordings.
const ORDER: [Resource; 7] = [
    Resource::SyncState,
    Resource::OsClock,
    Resource::LockState,
    Resource::ClockClass,
    Resource::Gnss,
    Resource::SynceState,
    Resource::SynceQuality,
];

impl Table {
    /// Its place in [`ORDER`]; what no publisher has goes to the end.
    const fn slot(resource: &Resource) -> usize {
        match resource {
            Resource::SyncState => 0,
            Resource::OsClock => 1,
            Resource::LockState => 2,
            Resource::ClockClass => 3,
            Resource::Gnss => 4,
            Resource::SynceState => 5,
            _ => 6,
        }
    }

    pub(crate) fn get(&self, resource: &Resource) -> Option<&Reading> {
        self.0[Self::slot(resource)].as_ref()
    }

    pub(crate) fn state(&self, resource: &Resource) -> Option<&SyncState> {
        self.get(resource)?.state.as_ref()
    }

    pub(crate) fn set(&mut self, resource: &Resource, reading: &Reading) {
        self.0[Self::slot(resource)] = Some(reading.clone());
    }

    /// Notes a new offset of an unchanged state.
    pub(crate) fn measured(&mut self, resource: &Resource, offset: Measurement) {
        if let Some(reading) = &mut self.0[Self::slot(resource)] {
            reading.offset = Some(offset);
        }
    }

    /// The resources it has data for.
    pub(crate) fn known(&self) -> Vec<(Resource, Reading)> {
        ORDER
            .into_iter()
            .zip(&self.0)
            .filter_map(|(resource, reading)| Some((resource, reading.clone()?)))
            .collect()
    }

    /// All resources, with placeholders for what it has no data for.
    ///
    /// A publisher that knows nothing at all says `ptp-not-set`, one that lacks this resource says
    /// `event-not-found` (observed, `bc_lock` and `initial_locked`).
    pub(crate) fn initial(&self) -> Vec<(Resource, Reading)> {
        let instance =
            if self.0.iter().any(Option::is_some) { "event-not-found" } else { "ptp-not-set" };
        ORDER
            .into_iter()
            .zip(&self.0)
            .map(|(resource, reading)| {
                let reading = reading.clone().unwrap_or_else(|| placeholder(instance, &resource));
                (resource, reading)
            })
            .collect()
    }
}

fn placeholder(instance: &str, resource: &Resource) -> Reading {
    let instance = Instance::new(instance).expect("a short text of letters");
    let mut reading = Reading::new(instance);
    match resource {
        Resource::ClockClass => reading.clock_class = Some(ClockClass(0)),
        Resource::SynceQuality => reading.quality = Some(QualityLevel(0)),
        Resource::SynceState | Resource::SyncState => reading.state = Some(SyncState::Freerun),
        _ => {
            reading.state = Some(SyncState::Freerun);
            reading.offset = Some(Measurement::from_nanos(0));
        }
    }
    reading
}
