//! Making alerts of what happens to incidents.

use std::cmp::Reverse;

use super::{Engine, Timer};
use crate::Severity;
use crate::incidents::incident::IncidentId;
use crate::incidents::ledger::Change;
use crate::incidents::ledger::ChangeKind;
use crate::report::AlertStatus;
use crate::report::narrate;

impl Engine {
    /// Takes over what happened to incidents: times to come back, changes, and alerts about them.
    pub(super) fn collect_changes(&mut self) {
        while let Some((due, id)) = self.ledger.poll_due() {
            self.timers.push(Reverse((due, Timer::Incident(id))));
        }
        while let Some(change) = self.ledger.poll_change() {
            self.raise(change);
            self.changes.push_back(change);
            if self.changes.len() > self.model.settings.max_incidents {
                self.changes.pop_front();
            }
        }
    }

    /// Makes an alert of a change, if people are to be told of it.
    pub(super) fn raise(&mut self, change: Change) {
        let Some(incident) = self.ledger.get(change.incident) else {
            return;
        };
        if incident.severity < Severity::Warning || !self.may_alert(change.incident) {
            return;
        }
        let status = match (change.kind, incident.told) {
            (ChangeKind::Resolved, Some(_)) => AlertStatus::Resolved,
            (ChangeKind::Resolved, None) => return,
            (_, None) => AlertStatus::Opened,
            (_, Some(told)) if incident.as_told(change.at).is_worse_than(told) => {
                AlertStatus::Escalated
            }
            (_, Some(_)) => return,
        };
        let alert = narrate::alert(&self.model, incident, status, change.at);
        self.ledger.tell(change.incident, change.at);
        if self.alerts.len() >= self.model.settings.max_incidents {
            self.alerts.pop_front();
            self.counts.alerts_forgotten += 1;
        }
        self.alerts.push_back(alert);
    }

    /// Whether an incident has a finding on a resource that may raise alerts.
    pub(super) fn may_alert(&self, id: IncidentId) -> bool {
        let (Some(allowed), Some(incident)) =
            (&self.model.settings.alert_resources, self.ledger.get(id))
        else {
            return true;
        };
        incident.findings.iter().any(|finding| {
            finding.resource.as_ref().is_none_or(|resource| allowed.contains(resource))
        })
    }
}
