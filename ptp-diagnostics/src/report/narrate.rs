//! Incidents in words. No sentence says more than the evidence does.

use std::fmt::Write as _;

use ptp_events::observation::{Observed, PortChange, PortEvent};
use ptp_events::{Measurement, Received, Resource, Sentinel};

use crate::causality::score::Verdict;
use crate::incidents::incident::{Incident, Status, Witness};
use crate::model::Model;
use crate::model::clock_class;
use crate::model::node::NodeId;
use crate::model::stage::Stage;
use crate::model::timeline::Said;
use crate::report::advice::recommendations;
use crate::report::{Alert, AlertStatus, Recommendation};
use crate::text::{lasting, time_of_day};

/// How many steps of a story the details tell.
const STEPS: usize = 6;

/// What a clock said, in words.
pub(crate) fn says(resource: &Resource, said: &Said) -> String {
    match said {
        Said::State { state, fix, .. } if *resource == Resource::Gnss => match fix {
            Some(fix) => format!("GNSS {state}, gpsFix {fix}"),
            None => format!("GNSS {state}"),
        },
        Said::State { state, measured, stale, .. } => match measured {
            Some(Measurement::Sentinel(Sentinel::ProcessDown)) => {
                format!("{state}, its process is down")
            }
            Some(Measurement::Sentinel(_)) => format!("{state}, no measurement"),
            Some(Measurement::Offset(offset)) if *stale => {
                format!("{state}, last offset before the loss {offset}")
            }
            Some(Measurement::Offset(offset)) => format!("{state}, offset {offset}"),
            None => state.to_string(),
        },
        Said::Class(class) => format!("clock class {class} ({})", clock_class::meaning(*class)),
        Said::Master(master) => format!("chose {master} as its best master"),
        Said::Quality(quality, Some(extended)) => {
            format!("SyncE quality level {quality}, extended {extended}")
        }
        Said::Quality(quality, None) => format!("SyncE quality level {quality}"),
        Said::Seen(observed) => seen(observed),
    }
}

/// What was seen at first hand, in words.
fn seen(observed: &Observed) -> String {
    match observed {
        Observed::Sample(sample) => format!("offset {}", sample.offset),
        Observed::Port(PortChange { port, from, to, why, .. }) => {
            let port = port.as_ref().map_or("a port".to_owned(), ToString::to_string);
            let why = match why {
                PortEvent::Fault => " on a fault",
                PortEvent::AnnounceTimeout => ": no Announce from a master",
                PortEvent::SynchronizationFault => ": the servo jumped",
                _ => "",
            };
            format!("{port} went from {} to {}{why}", from.as_str(), to.as_str())
        }
        Observed::Dpll(dpll) => {
            let lock = match dpll.is_locked() {
                Some(true) => "DPLL locked",
                Some(false) => "DPLL not locked",
                None => "DPLL of unknown state",
            };
            match dpll.pps {
                Some(false) => format!("{lock}, no 1PPS"),
                _ => lock.to_owned(),
            }
        }
        Observed::TimeOfDay { available: true } => "time of day (NMEA) there".to_owned(),
        Observed::TimeOfDay { available: false } => "no time of day (NMEA)".to_owned(),
        Observed::Process { name, up: true } => format!("{name} was started"),
        Observed::Process { name, up: false } => format!("{name} ended"),
        Observed::Remark(remark) => remark.as_str().to_owned(),
        _ => "alive".to_owned(),
    }
}

/// Whether a clock that says this is well.
fn is_healthy(said: &Said) -> bool {
    match said {
        Said::State { state, .. } => state.is_locked(),
        Said::Class(class) => clock_class::is_traceable(*class),
        Said::Master(_) | Said::Quality(..) | Said::Seen(_) => false,
    }
}

/// Up to three names, or how many there are.
fn names(model: &Model, nodes: &[NodeId]) -> String {
    let mut names: Vec<_> = nodes.iter().map(|id| model.node(*id).name.as_str()).collect();
    names.sort_unstable();
    match names.as_slice() {
        [] => "unknown nodes".to_owned(),
        [one] => (*one).to_owned(),
        [init @ .., last] if names.len() <= 3 => format!("{} and {last}", init.join(", ")),
        [first, ..] => format!("{first} and {} more nodes", names.len() - 1),
    }
}

/// The headline: what, where, and how many more.
pub(crate) fn summary(model: &Model, incident: &Incident) -> String {
    let diagnosis = &incident.diagnosis;
    let title = diagnosis.cause.cause().title;
    if diagnosis.cause.cause().stage == Stage::Telemetry {
        // The first to fall silent is no more to blame than the others.
        let affected: Vec<_> = incident.affected.iter().copied().collect();
        return format!("{title} from {}", names(model, &affected));
    }
    let mut text = format!("{title} on {}", names(model, &diagnosis.origin));
    let others = incident.affected.iter().filter(|node| !diagnosis.origin.contains(node)).count();
    match others {
        0 => {}
        1 => text.push_str(", 1 more node affected"),
        n => write!(text, ", {n} more nodes affected").unwrap_or_default(),
    }
    text
}

/// A short paragraph: how it went, how sure we are, and how long.
pub(crate) fn details(model: &Model, incident: &Incident, now: Received) -> String {
    let mut text = story(model, incident);
    let length = match (incident.resolved_at, &incident.merged_into) {
        (_, Some(_)) | (Some(_), None) => ending(incident),
        (None, None) => {
            format!("It has lasted {} so far.", lasting(now.since(incident.opened_at)))
        }
    };
    text.push_str(&length);
    text
}

/// How an incident that is over went on, or ended.
fn ending(incident: &Incident) -> String {
    match (&incident.merged_into, incident.resolved_at) {
        (Some(into), _) => format!("It turned out to be part of incident {into}."),
        (None, Some(at)) if incident.left => format!(
            "It was still so when the last of its nodes left, {} after it began: nobody saw it end.",
            lasting(at.since(incident.opened_at))
        ),
        (None, Some(at)) => format!("It lasted {}.", lasting(at.since(incident.opened_at))),
        (None, None) => format!("Since {} UTC.", time_of_day(incident.opened_at)),
    }
}

/// How it went, what was found first, and how sure we are: true whenever it is read.
fn story(model: &Model, incident: &Incident) -> String {
    let diagnosis = &incident.diagnosis;
    let mut text = String::new();
    let first_origin = diagnosis.origin.first().copied();
    let story: Vec<&Witness> = incident
        .witnesses
        .iter()
        .filter(|w| Some(w.node) == first_origin && w.at >= incident.opened_at)
        .filter(|w| *model.clock(w.clock).resource() != Resource::SyncState)
        .skip_while(|w| is_healthy(&w.said))
        .collect();
    if let Some(begin) = story.first() {
        let node = &model.node(begin.node).name;
        write!(text, "At {} UTC {node} reported ", time_of_day(begin.at)).unwrap_or_default();
        for (at, step) in story.iter().take(STEPS).enumerate() {
            if at > 0 {
                write!(text, "; {} later ", lasting(step.at.since(begin.at))).unwrap_or_default();
            }
            let clock = model.clock(step.clock);
            match (clock.resource(), &step.said) {
                (Resource::LockState, said) => {
                    write!(text, "{} ({})", says(clock.resource(), said), clock.instance())
                }
                (Resource::OsClock, said) => {
                    write!(text, "{} (system clock)", says(clock.resource(), said))
                }
                (_, Said::Class(class)) => write!(text, "clock class {class}"),
                (resource, said) => write!(text, "{}", says(resource, said)),
            }
            .unwrap_or_default();
        }
        match story.len().saturating_sub(STEPS) {
            0 => text.push_str(". "),
            1 => text.push_str("; and one more change. "),
            more => write!(text, "; and {more} more changes. ").unwrap_or_default(),
        }
    }
    if let Some(finding) = incident.findings.first() {
        write!(text, "Finding: {} ({}). ", finding.code, finding.says).unwrap_or_default();
    }
    let sure = match diagnosis.verdict() {
        Verdict::Confirmed => "The evidence leaves little doubt",
        Verdict::Likely => "The evidence fits this cause better than others",
        Verdict::Inconclusive => "The evidence does not decide the cause",
    };
    write!(text, "{sure} (confidence {:.2}). ", diagnosis.confidence).unwrap_or_default();
    text
}

/// What people are told when an incident changes.
pub(crate) fn alert(
    model: &Model,
    incident: &Incident,
    status: AlertStatus,
    now: Received,
) -> Alert {
    let headline = summary(model, incident);
    let summary = match status {
        AlertStatus::Resolved if incident.merged_into.is_some() => {
            format!("Part of a wider incident: {headline}")
        }
        AlertStatus::Resolved => format!("Resolved: {headline}"),
        AlertStatus::Opened if incident.reopened > 0 => format!("Again: {headline}"),
        AlertStatus::Opened | AlertStatus::Escalated => headline,
    };
    let recommendations = match incident.status {
        Status::Resolved => Vec::new(),
        Status::Firing => {
            recommendations(model, incident).iter().map(Recommendation::in_one_line).collect()
        }
    };
    Alert {
        severity: incident.severity,
        summary,
        // An alert is read later than it is written, and must still be true then.
        details: story(model, incident) + &ending(incident),
        recommendations,
        affected_nodes: affected_names(model, incident),
        timestamp: now,
        incident: incident.key.clone(),
        status,
        root_cause: incident.diagnosis.cause,
    }
}

/// The names of all affected nodes, sorted.
pub(crate) fn affected_names(model: &Model, incident: &Incident) -> Vec<ptp_events::NodeName> {
    sorted_names(model, incident.affected.iter().copied())
}

pub(crate) fn sorted_names(
    model: &Model,
    nodes: impl Iterator<Item = NodeId>,
) -> Vec<ptp_events::NodeName> {
    let mut names: Vec<_> = nodes.map(|id| model.node(id).name.clone()).collect();
    names.sort_unstable();
    names
}
