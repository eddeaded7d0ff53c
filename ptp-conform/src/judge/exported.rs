//! What metrics show.

use ptp_events::Received;
use ptp_events::metrics::Metric;

use super::Tally;
use super::sent::class_at;
use crate::record::{Exported, MASTER, Record};

const NO_SCRAPE: &str = "a scrape of the node's metrics";

fn of(record: &Record, metric: Metric) -> &[Exported] {
    record.exported.get(&metric).map_or(&[], Vec::as_slice)
}

pub(super) fn exported(record: &Record, metric: Metric, processes: &[&str]) -> Tally {
    let mut tally = Tally::wanting(NO_SCRAPE);
    let Some(last) = record.exported.values().flatten().map(|exported| exported.at).max() else {
        return tally;
    };
    for process in processes {
        let there = of(record, metric).iter().any(|exported| exported.process == *process);
        tally.note(there, last, &format!("{metric:?}"), || {
            format!("there is no {metric:?} of {process}")
        });
    }
    tally
}

fn all(record: &Record, metric: Metric, wanted: i64, what: &str) -> Tally {
    let mut tally = Tally::wanting(NO_SCRAPE);
    for exported in of(record, metric) {
        let Exported { at, process, interface, value } = exported;
        tally.note(*value == wanted, *at, &format!("{metric:?}"), || {
            format!("{what} {value} of {process} {interface}").trim_end().to_owned()
        });
    }
    tally
}

pub(super) fn all_masters(record: &Record) -> Tally {
    all(record, Metric::InterfaceRole, MASTER, "role")
}

pub(super) fn class_is(record: &Record, class: i64) -> Tally {
    all(record, Metric::ClockClass, class, "class")
}

pub(super) fn class_as_sent(record: &Record) -> Tally {
    let mut tally = Tally::wanting("a scrape of the node's metrics, and events of the same time");
    let mut times: Vec<Received> = of(record, Metric::ClockClass).iter().map(|e| e.at).collect();
    times.dedup();
    for at in times {
        let Some(sent) = class_at(record, at) else { continue };
        let mut then = of(record, Metric::ClockClass).iter().filter(|exported| exported.at == at);
        let held = then.any(|exported| exported.value == i64::from(sent));
        tally.note(held, at, "ClockClass", || {
            format!("class {sent} was sent, and another is exported")
        });
    }
    tally
}
