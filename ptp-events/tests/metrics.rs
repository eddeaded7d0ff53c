//! Dumps of the real exporters, as events.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;
use proptest::prelude::*;
use ptp_events::Stamped;
use ptp_events::metrics::{Metric, Metrics};

fn dump(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../recordings").join(name);
    fs::read_to_string(path).unwrap()
}

fn told(text: &str) -> String {
    let mut told = String::new();
    let metrics = Metrics::parse(text).unwrap();
    for event in metrics.events(Stamped::parse("2026-11-23T06:40:30Z").unwrap()) {
        let reading = &event.readings[0];
        write!(told, "{} {} {}", event.node, event.resource, reading.instance).unwrap();
        let mut part = |name: &str, value: Option<String>| {
            told += &value.map(|value| format!(" {name}{value}")).unwrap_or_default();
        };
        part("", reading.state.as_ref().map(ToString::to_string));
        part("offset ", reading.offset.map(|offset| format!("{offset:?}")));
        part("class ", reading.clock_class.map(|class| class.to_string()));
        part("fix ", reading.gps_fix.map(|fix| fix.to_string()));
        writeln!(told, " ({})", event.id).unwrap();
    }
    told
}

#[test]
fn real_dumps_tell_what_the_publisher_said_last() {
    assert_snapshot!("metrics_bc", told(&dump("metrics-bc.prom.txt")));
    assert_snapshot!("metrics_gm", told(&dump("metrics-gm.prom.txt")));
}

#[test]
fn what_no_event_tells_stays_a_sample() {
    let text = "openshift_ptp_process_status{config=\"ptp4l.0.config\",node=\"n\",process=\"ptp4l\"} 0\n\
        openshift_ptp_threshold{node=\"n\",profile=\"p\",threshold=\"MaxOffsetThreshold\"} 100\n";
    let metrics = Metrics::parse(text).unwrap();
    let [sample] = metrics.samples() else { panic!("{metrics:?}") };
    assert_eq!((sample.metric, sample.value), (Metric::ProcessStatus, 0));
    assert_eq!(told(text), "");
}

#[test]
fn mistakes_name_the_line() {
    for (text, expect) in [
        ("a 1\nb{", "line 2 is no metric: a label's name, or `}`"),
        (
            "openshift_ptp_clock_state{node=\"n\",process=\"ptp4l\"} NaN",
            "line 1 has a value that cannot be read",
        ),
        (
            "openshift_ptp_clock_state{node=\"\",process=\"ptp4l\"} 1",
            "line 1 names a node that cannot be one",
        ),
    ] {
        assert_eq!(Metrics::parse(text).unwrap_err().to_string(), expect);
    }
}

proptest! {
    #[test]
    fn no_text_panics(lines in prop::collection::vec(any::<prop::sample::Index>(), 0..80), value: f64) {
        let dump = dump("metrics-gm.prom.txt");
        let all: Vec<_> = dump.lines().collect();
        let mut mixed = String::new();
        for at in lines {
            let line = all[at.index(all.len())];
            let (start, _) = line.rsplit_once(' ').unwrap_or((line, ""));
            writeln!(mixed, "{start} {value}").unwrap();
        }
        if let Ok(metrics) = Metrics::parse(&mixed) {
            let _ = metrics.events(Stamped::from_nanos(0));
        }
    }
}
