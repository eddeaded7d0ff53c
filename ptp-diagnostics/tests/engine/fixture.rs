//! A tiny language for stories: one thing a node said per line.
//!
//! ```text
//! # seconds  node  resource[:instance]  value  [offset]  [fix=N]
//! 0      gm   gnss     FAILURE-NOFIX fix=0
//! 0.2    gm   lock     HOLDOVER 4
//! 0.3    gm   class    7
//! 1      w1   lock     placeholder
//! 60     end
//! ```

use std::fmt::Write as _;
use std::time::Duration;

use ptp_diagnostics::{Engine, Report, Settings};
use ptp_events::{
    ClockClass, Event, EventId, GpsFix, Instance, Measurement, NodeName, QualityLevel, Reading,
    Received, Resource, Stamped, SyncState,
};

/// 2026-11-23T00:00:00Z, where every story begins.
const BEGIN: i64 = 1_795_392_000_000_000_000;

pub(crate) fn at(seconds: f64) -> Received {
    Received::from_nanos(BEGIN).after(Duration::from_secs_f64(seconds))
}

/// Seconds since the story began, to the millisecond.
fn seconds(at: Received) -> String {
    format!("{:.3}", at.since(Received::from_nanos(BEGIN)).as_secs_f64())
        .trim_end_matches('0')
        .trim_end_matches('.')
        .to_owned()
}

/// One event as a line of a story tells it; the id is the line's number.
pub(crate) fn event(line: &str, number: usize) -> (Event, Received) {
    let mut words = line.split_whitespace();
    let when: f64 = words.next().unwrap().parse().unwrap();
    let node = words.next().unwrap();
    let resource = words.next().unwrap();
    let (resource, instance) = resource.split_once(':').unwrap_or((resource, ""));
    let (resource, usual) = match resource {
        "gnss" => (Resource::Gnss, "ens1fx/master"),
        "lock" => (Resource::LockState, "ens1fx/master"),
        "class" => (Resource::ClockClass, "ens1fx/master"),
        "os" => (Resource::OsClock, "CLOCK_REALTIME"),
        "sync" => (Resource::SyncState, ""),
        "synce" => (Resource::SynceState, "synce1/ens1f0"),
        "quality" => (Resource::SynceQuality, "synce1/ens1f0"),
        other => panic!("no resource `{other}` in `{line}`"),
    };
    let value = words.next().unwrap();
    let instance = match (value, instance) {
        ("placeholder", _) => "ptp-not-set",
        (_, "") => usual,
        (_, instance) => instance,
    };
    let mut reading = Reading::new(Instance::new(instance).unwrap());
    match resource {
        Resource::ClockClass => reading.clock_class = value.parse().ok().map(ClockClass),
        Resource::SynceQuality => reading.quality = value.parse().ok().map(QualityLevel),
        _ if value == "placeholder" => reading.state = Some(SyncState::Freerun),
        _ => reading.state = Some(SyncState::from(value)),
    }
    for word in words {
        match word.strip_prefix("fix=") {
            Some(fix) => reading.gps_fix = Some(GpsFix(fix.parse().unwrap())),
            None if word == "down" => {
                reading.offset = Some(Measurement::from_nanos(-9_999_999_999_999_999));
            }
            None => reading.offset = Some(Measurement::from_nanos(word.parse().unwrap())),
        }
    }
    let received = at(when);
    let event = Event {
        id: EventId::new(&format!("e{number}")).unwrap(),
        node: NodeName::new(node).unwrap(),
        resource,
        stamped: Some(Stamped::from_nanos(received.as_nanos())),
        readings: [reading].into(),
    };
    (event, received)
}

/// The report of a story.
pub(crate) fn report(story: &str, settings: Settings) -> Report {
    let mut engine = Engine::new(settings);
    let lines =
        story.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    for (number, line) in lines.enumerate() {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            [when, "end"] => engine.finish(at(when.parse().unwrap())),
            [when, "time"] => engine.handle_time(at(when.parse().unwrap())),
            [when, node, "blind"] => {
                let when = at(when.parse().unwrap());
                engine.handle_blind(&NodeName::new(node).unwrap(), when, "its publisher is gone");
            }
            [when, node, "missed", since] => {
                let [when, since] = [when, since].map(|time| at(time.parse().unwrap()));
                let node = NodeName::new(node).unwrap();
                engine.handle_missed(&node, since, when, "its publisher forgot us");
            }
            [when, node, "gone"] => {
                let when = at(when.parse().unwrap());
                engine.handle_gone(&NodeName::new(node).unwrap(), when);
            }
            [when, node, "sighted"] => {
                let when = at(when.parse().unwrap());
                engine.handle_sighted(&NodeName::new(node).unwrap(), when);
            }
            _ => {
                let (event, received) = event(line, number);
                engine.handle_event(event, received);
            }
        }
    }
    engine.report()
}

/// The whole answer to a story, in a few lines.
pub(crate) fn tell(report: &Report) -> String {
    let mut out = String::new();
    let names =
        |names: &[NodeName]| names.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ");
    for incident in &report.incidents {
        let (severity, cause) = (incident.severity, incident.root_cause);
        let (status, verdict) = (incident.status.as_str(), incident.verdict.as_str());
        write!(out, "{severity} {cause} ({verdict}), {status}").unwrap();
        write!(out, ": since {}", seconds(incident.opened_at)).unwrap();
        write!(out, ", known at {}", seconds(incident.detected_at)).unwrap();
        if let Some(resolved) = incident.resolved_at {
            write!(out, ", over at {}", seconds(resolved)).unwrap();
        }
        let (origin, affected) = (names(&incident.origin_nodes), names(&incident.affected_nodes));
        writeln!(out, "; from {origin}, affects {affected}").unwrap();
        for finding in &incident.findings {
            let resource = finding.resource.as_ref().map_or("node", |r| r.name());
            write!(out, "  {} {} {}", finding.severity, finding.node, finding.code).unwrap();
            write!(out, " [{resource}] since {}", seconds(finding.since)).unwrap();
            write!(out, ", known at {}", seconds(finding.detected_at)).unwrap();
            if let Some(until) = finding.until {
                write!(out, ", until {}", seconds(until)).unwrap();
            }
            writeln!(out, ": {}", finding.says).unwrap();
        }
    }
    for alert in &report.alerts {
        let (at, status, severity) =
            (seconds(alert.timestamp), alert.status.as_str(), alert.severity);
        writeln!(out, "alert at {at}: {status} {severity} {}", alert.summary).unwrap();
    }
    for window in &report.blind_windows {
        let to = window.to.map_or("now".to_owned(), seconds);
        writeln!(out, "blind to {} {}..{to}: {}", window.node, seconds(window.from), window.why)
            .unwrap();
    }
    if out.is_empty() {
        out.push_str("nothing\n");
    }
    out
}

pub(crate) fn diagnose(story: &str) -> String {
    tell(&report(story, Settings::default()))
}

/// Tells every story of a table.
pub(crate) fn tell_all<'a>(stories: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let mut told = String::new();
    for (name, story) in stories {
        writeln!(told, "{name}\n{}", diagnose(&story)).unwrap();
    }
    told
}
