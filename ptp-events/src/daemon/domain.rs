//! One instance of ptp4l and what steers the same clock: the ports, the state, the name.

use crate::{Instance, Offset, SyncState};

use super::line::{Port, Servo};

/// Who says what state the PTP clock is in.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Source {
    /// ptp4l's offsets and ports; ts2phc's offsets where there is no DPLL.
    #[default]
    Servo,
    /// `T-BC-STATUS` lines.
    BoundaryClock,
    /// `T-GM-STATUS` lines.
    Grandmaster,
}

/// Whether a port is in SLAVE state.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Following {
    /// The log begins in the middle; ptp4l prints offsets only while it follows.
    #[default]
    Unknown,
    Yes,
    No,
}

/// The state of one PTP clock, by the rules of the publisher (docs/protocol.md §9).
#[derive(Debug, Default)]
pub(super) struct Domain {
    pub(super) state: Option<SyncState>,
    pub(super) source: Source,
    /// What a DPLL measured last, in nanoseconds or as a sentinel.
    pub(super) dpll: Option<i64>,
    /// When HOLDOVER turns into FREERUN.
    pub(super) deadline: Option<i64>,
    /// The last offset that counted: in HOLDOVER it stays, and is stale.
    pub(super) last_offset: Option<Offset>,
    following: Following,
    name: Name,
}

/// How the publisher calls the clock. It stays once it was used.
#[derive(Debug, Default)]
enum Name {
    #[default]
    Unknown,
    /// A port of the same configuration, which may not be the one that follows.
    Guess(Instance),
    Known(Instance),
}

impl Domain {
    /// A port, or a card, that belongs to this clock; `sure` if it is the one that is steered by.
    pub(super) fn learn(&mut self, interface: &str, sure: bool) {
        let Ok(instance) = Instance::new(&format!("{}/master", alias(interface))) else { return };
        match (&self.name, sure) {
            (Name::Unknown | Name::Guess(_), true) => self.name = Name::Known(instance),
            (Name::Unknown, false) => self.name = Name::Guess(instance),
            _ => {}
        }
    }

    /// The clock's name, if it is known for sure.
    pub(super) const fn name(&self) -> Option<&Instance> {
        match &self.name {
            Name::Known(instance) => Some(instance),
            _ => None,
        }
    }

    /// Takes the best name there is, or else `fallback`.
    pub(super) fn settle_name(&mut self, fallback: &str) {
        self.name = match std::mem::take(&mut self.name) {
            Name::Unknown => Name::Known(Instance::new(fallback).unwrap_or(Instance::NODE)),
            Name::Guess(instance) | Name::Known(instance) => Name::Known(instance),
        };
    }

    /// A port changed; true when the clock goes into HOLDOVER by it.
    pub(super) fn port(&mut self, from: Port, to: Port) -> bool {
        if to == Port::Slave {
            self.following = Following::Yes;
        } else if from == Port::Slave || self.following == Following::Unknown {
            self.following = Following::No;
        }
        // Observed: SLAVE to FAULTY, LISTENING. A port that turns PASSIVE has a better one beside
        // it, and is not reported.
        from == Port::Slave
            && to == Port::Other
            && self.source == Source::Servo
            && self.state != Some(SyncState::Holdover)
    }

    /// Whether ptp4l's offsets count; what it prints while UNCALIBRATED does not (observed).
    pub(super) fn follows(&self) -> bool {
        self.following != Following::No
    }

    /// The state after a servo said this; `None` when the publisher would not listen.
    pub(super) fn measured(
        &mut self,
        servo: Servo,
        offset: Offset,
        limit: u64,
    ) -> Option<SyncState> {
        let within = servo == Servo::Locked && offset.magnitude() < limit;
        let next = match (within, &self.state) {
            (true, _) => SyncState::Locked,
            // Out of range is no news while HOLDOVER lasts: the timeout or LOCKED ends it.
            (false, Some(SyncState::Holdover)) if servo == Servo::Locked => return None,
            (false, _) => SyncState::Freerun,
        };
        if within || self.state.as_ref() != Some(&next) {
            self.last_offset = Some(offset);
        }
        Some(next)
    }

    /// Takes on a state; the holdover timer runs in HOLDOVER only.
    pub(super) fn enter(&mut self, state: &SyncState, deadline: Option<i64>) {
        self.state = Some(state.clone());
        self.deadline = deadline;
    }
}

/// The publisher's name for all ports of a card: `ens1f0` is `ens1fx`, `ens1f0.100` `ens1fx.100`.
pub(super) fn alias(interface: &str) -> String {
    let (port, vlan) = match interface.split_once('.') {
        Some((port, vlan)) => (port, Some(vlan)),
        None => (interface, None),
    };
    let card = match port.char_indices().next_back() {
        Some((at, _)) => &port[..at],
        None => "",
    };
    match vlan {
        Some(vlan) => format!("{card}x.{vlan}"),
        None => format!("{card}x"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_are_the_publishers() {
        for (interface, expect) in
            [("ens1f0", "ens1fx"), ("ens7f1", "ens7fx"), ("eth0.100", "ethx.100"), ("", "x")]
        {
            assert_eq!(alias(interface), expect);
        }
    }

    /// `servo offset` in, what the publisher would say out.
    #[test]
    fn a_servo_is_judged_by_state_and_threshold() {
        use SyncState::{Freerun, Holdover, Locked};
        let table = [
            (None, Servo::Unlocked, 5, Some(Freerun)),
            (None, Servo::Locked, 99, Some(Locked)),
            (Some(Freerun), Servo::Step, 5, Some(Freerun)),
            (Some(Locked), Servo::Locked, -100, Some(Freerun)),
            (Some(Holdover), Servo::Locked, 5000, None),
            (Some(Holdover), Servo::Locked, 5, Some(Locked)),
            (Some(Holdover), Servo::Unlocked, 5, Some(Freerun)),
        ];
        for (state, servo, offset, expect) in table {
            let mut domain = Domain { state: state.clone(), ..Domain::default() };
            let got = domain.measured(servo, Offset::from_nanos(offset), 100);
            assert_eq!(got, expect, "{state:?} {servo:?} {offset}");
        }
    }
}
