//! Which incident is about which fault.

use std::time::Duration;

use ptp_diagnostics::report::IncidentReport;
use ptp_events::Received;
use ptp_sim::LabelledFault;

use super::source::Source;

/// How much earlier than its fault an incident may begin, and how much later than its recovery.
const BEFORE: Duration = Duration::from_secs(5);
const AFTER: Duration = Duration::from_mins(1);

/// What was matched; indices into the slices given.
#[derive(Debug, Default)]
pub(crate) struct Matching {
    /// For each fault the incident about it.
    pub(crate) incident_of: Vec<Option<usize>>,
    /// Incidents that are about no fault, or about one that another incident is about already.
    pub(crate) spare: Vec<usize>,
}

/// Gives each fault at most one incident, the best pairs first.
pub(crate) fn matching(
    faults: &[LabelledFault],
    incidents: &[IncidentReport],
    end: Received,
    source: Source,
) -> Matching {
    let mut pairs = Vec::new();
    for (f, fault) in faults.iter().enumerate() {
        for (i, incident) in incidents.iter().enumerate() {
            if let Some(likeness) = likeness(fault, incident, end, source) {
                pairs.push((likeness, f, i));
            }
        }
    }
    // Best first; among equals the fault and the incident that came first.
    pairs.sort_by_key(|(likeness, f, i)| (std::cmp::Reverse(*likeness), *i, *f));
    let mut incident_of = vec![None; faults.len()];
    let mut used = vec![false; incidents.len()];
    for (_, f, i) in pairs {
        if incident_of[f].is_none() && !used[i] {
            incident_of[f] = Some(i);
            used[i] = true;
        }
    }
    // What was merged into another is told of with that one.
    let spare =
        (0..incidents.len()).filter(|i| !used[*i] && incidents[*i].merged_into.is_none()).collect();
    Matching { incident_of, spare }
}

/// How well an incident fits a fault; `None` when it cannot be about it.
fn likeness(
    fault: &LabelledFault,
    incident: &IncidentReport,
    end: Received,
    source: Source,
) -> Option<u8> {
    let over = fault.recovered.map_or(end, |recovered| recovered.after(AFTER));
    let until = incident.resolved_at.unwrap_or(end);
    if incident.opened_at > over || until < fault.start.before(BEFORE) {
        return None;
    }
    let same_origin = incident.origin_nodes.iter().any(|node| fault.origin_nodes.contains(node));
    let ours = incident.origin_nodes.iter().chain(&incident.affected_nodes);
    let meets = same_origin
        || ours
            .clone()
            .any(|node| fault.affected_nodes.contains(node) || fault.origin_nodes.contains(node));
    let standing = u8::from(incident.merged_into.is_none());
    meets.then(|| {
        8 * standing
            + 4 * u8::from(same_cause(fault, incident, source))
            + 2 * u8::from(same_origin)
            + u8::from(incident.opened_at >= fault.start.before(BEFORE))
    })
}

/// Whether both name the same root cause; the codes are those of docs/diagnosis.md.
pub(crate) fn same_cause(fault: &LabelledFault, incident: &IncidentReport, source: Source) -> bool {
    let label = serde_json::to_value(fault.root_cause).unwrap_or_default();
    let (label, code) = (label.as_str().unwrap_or_default(), incident.root_cause.code());
    // A line of the daemon tells the fix, and not why there is none (docs/protocol.md §9).
    let receiver = |code: &str| code.starts_with("gnss-");
    label == code || (source != Source::Events && receiver(label) && receiver(code))
}
