//! Every publisher's dialect decodes to the same types, and every mistake is named.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::fmt::Write as _;

use insta::assert_snapshot;
use ptp_events::{DecodeError, Event, NodeName};

/// One line per reading, with only what is there.
fn describe(event: &Event) -> String {
    let mut out = String::new();
    for reading in &event.readings {
        write!(
            out,
            "{} {} {} `{}`",
            event.stamped.unwrap(),
            event.node,
            event.resource,
            reading.instance
        )
        .unwrap();
        let mut field = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                write!(out, " {name}={value}").unwrap();
            }
        };
        field("state", reading.state.as_ref().map(ToString::to_string));
        field("offset", reading.offset.map(|m| format!("{m:?}")));
        field("class", reading.clock_class.map(|c| c.to_string()));
        field("fix", reading.gps_fix.map(|f| f.to_string()));
        field("ql", reading.quality.map(|q| q.to_string()));
        field("ext-ql", reading.extended_quality.map(|q| q.to_string()));
        if reading.instance.is_placeholder() {
            out.push_str(" (placeholder)");
        }
        out.push('\n');
    }
    out
}

fn chain(error: &DecodeError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        write!(text, ": {inner}").unwrap();
        cause = inner.source();
    }
    text
}

fn decode(json: &str) -> String {
    match Event::from_slice(json.as_bytes()) {
        Ok(event) => describe(&event),
        Err(error) => format!("error: {}", chain(&error)),
    }
}

/// An event of cloud-event-proxy with these values.
fn event(resource: &str, kind: &str, values: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"1","source":"{resource}","type":"event.sync.{kind}","time":"2026-11-23T06:40:30.5Z","data":{{"version":"1.0","values":[{values}]}}}}"#
    )
}

#[test]
fn cloud_event_proxy_pushes() {
    let gnss = event(
        "/sync/gnss-status/gnss-sync-status",
        "gnss-status.gnss-state-change",
        r#"{"ResourceAddress":"/cluster/node/gm/ens2fx/master","data_type":"notification","value_type":"enumeration","value":"FAILURE-NOFIX"},
           {"ResourceAddress":"/cluster/node/gm/ens2fx/master","data_type":"metric","value_type":"decimal64.3","value":"99999999"},
           {"ResourceAddress":"/cluster/node/gm/ens2fx/master/gpsFix","data_type":"metric","value_type":"decimal64.3","value":"0"}"#,
    );
    assert_snapshot!(decode(&gnss), @"2026-11-23T06:40:30.5Z gm gnss-sync-status `ens2fx/master` state=FAILURE-NOFIX offset=Sentinel(NoSolution(99999999)) fix=0");

    let synce = event(
        "/sync/synce-status/lock-state",
        "synce-status.synce-state-change",
        r#"{"ResourceAddress":"/cluster/node/n/synce1/ens7f0","data_type":"metric","value_type":"decimal64.3","value":"LOCKED"}"#,
    );
    assert_snapshot!(decode(&synce), @"2026-11-23T06:40:30.5Z n synce-lock-state `synce1/ens7f0` state=LOCKED");
}

#[test]
fn cloud_event_proxy_current_state() {
    let class = event(
        "/sync/ptp-status/clock-class",
        "ptp-status.ptp-clock-class-change",
        r#"{"ResourceAddress":"/cluster/node/d/ens1fx/master/CLOCK_CLASS","data_type":"metric","value_type":"decimal64.3","value":"6"},
           {"ResourceAddress":"/cluster/node/d/ens3fx/master/CLOCK_CLASS","data_type":"metric","value_type":"decimal64.3","value":"6"}"#,
    );
    assert_snapshot!(decode(&class), @"
    2026-11-23T06:40:30.5Z d clock-class `ens1fx/master` class=6
    2026-11-23T06:40:30.5Z d clock-class `ens3fx/master` class=6
    ");

    // The stray "0" after a real offset, and a quality level without node or prefix.
    let os = event(
        "/sync/sync-status/os-clock-sync-state",
        "sync-status.os-clock-sync-state-change",
        r#"{"ResourceAddress":"/cluster/node/d/CLOCK_REALTIME","data_type":"notification","value_type":"enumeration","value":"LOCKED"},
           {"ResourceAddress":"/cluster/node/d/CLOCK_REALTIME","data_type":"metric","value_type":"decimal64.3","value":"6"},
           {"ResourceAddress":"/cluster/node/d/CLOCK_REALTIME","data_type":"metric","value_type":"decimal64.3","value":"0"}"#,
    );
    assert_snapshot!(decode(&os), @"2026-11-23T06:40:30.5Z d os-clock-sync-state `CLOCK_REALTIME` state=LOCKED offset=Offset(Offset(6))");

    let quality = event(
        "/sync/synce-status/clock-quality",
        "synce-status.synce-clock-quality-change",
        r#"{"ResourceAddress":"synce1/ens7f0/ExtQL","data_type":"metric","value_type":"decimal64.3","value":"255"}"#,
    );
    assert_snapshot!(decode(&quality), @"error: no `data.values[].ResourceAddress` names a node");
    let asked = Event::from_slice_of(quality.as_bytes(), &NodeName::new("n").unwrap()).unwrap();
    assert_snapshot!(describe(&asked), @"2026-11-23T06:40:30.5Z n synce-clock-quality `synce1/ens7f0` ext-ql=255");
}

#[test]
fn api_v1_and_starlingx() {
    assert_snapshot!(decode(r#"{"specversion":"0.3","id":"1","source":"/cluster/node/n/sync/ptp-status/ptp-clock-class-change","type":"event.sync.ptp-status.ptp-clock-class-change","time":"2026-11-23T06:40:30Z","data":{"version":"v1","values":[{"resource":"/cluster/node/n/ens5fx/master","dataType":"metric","valueType":"decimal64.3","value":"248"}]}}"#),
        @"2026-11-23T06:40:30Z n clock-class `ens5fx/master` class=248");
    assert_snapshot!(decode(r#"{"specversion":"1.0","id":"1","source":"/sync/gnss-status/gnss-sync-status","type":"event.sync.gnss-status.gnss-state-change","time":"2024-11-15T15:22:33868726Z","data":{"version":"1.0","values":[{"ResourceAddress":"/./node/controller-0/sync/gnss-status/gnss-sync-status","data_type":"notification","value_type":"enumeration","value":"NOT_SYNCHRONIZED"}]}}"#),
        @"2024-11-15T15:22:33.868726Z controller-0 gnss-sync-status `` state=NOT-SYNCHRONIZED");
}

#[test]
fn numbers_may_be_numbers() {
    let lock = event(
        "/sync/ptp-status/lock-state",
        "ptp-status.ptp-state-change",
        r#"{"ResourceAddress":"/cluster/node/n/ens1fx/master","data_type":"notification","value":"LOCKED"},
           {"ResourceAddress":"/cluster/node/n/ens1fx/master","data_type":"metric","value":-9999999999999999}"#,
    );
    assert_snapshot!(decode(&lock), @"2026-11-23T06:40:30.5Z n lock-state `ens1fx/master` state=LOCKED offset=Sentinel(ProcessDown)");
}

#[test]
fn mistakes_are_named() {
    let lock =
        |values: &str| event("/sync/ptp-status/lock-state", "ptp-status.ptp-state-change", values);
    assert_snapshot!(decode("nonsense"), @"error: not an event, at `.`: expected ident at line 1 column 2");
    assert_snapshot!(decode(r#"{"id":"1","type":["a"],"time":"x"}"#), @"error: not an event, at `type`: invalid type: sequence, expected a string at line 1 column 17");
    assert_snapshot!(decode(r#"{"id":"1","type":"a","time":"2026-11-23T06:40:30"}"#), @"error: the event has no `data`");
    assert_snapshot!(decode(&lock("")), @"error: the event has no `data.values`");
    assert_snapshot!(decode(&lock(r#"{"ResourceAddress":"/cluster/node/n/i/master","data_type":"metric","value":{}}"#)), @"error: not an event, at `data.values[0].value`: invalid type: map, expected a string or a number at line 1 column 260");
    assert_snapshot!(decode(&lock(r#"{"ResourceAddress":"/cluster/node/n/i/master","data_type":"metric","value":"ten"}"#)), @"error: `data.values[0].value` cannot be read: `ten` is not a decimal number");
    assert_snapshot!(decode(&lock(r#"{"data_type":"metric","value":"1"}"#)), @"error: not an event, at `data.values[0]`: missing field `ResourceAddress` at line 1 column 217");
    assert_snapshot!(decode(&lock(r#"{"ResourceAddress":"/cluster/node/a\nb/i/master","value":"LOCKED"}"#)), @"error: `data.values[].ResourceAddress` is not acceptable: the name contains the control character U+000A");
    assert_snapshot!(decode(&lock(r#"{"ResourceAddress":"/cluster/node/a/i","value":"LOCKED"},{"ResourceAddress":"/cluster/node/b/i","value":"LOCKED"}"#)), @"error: the event speaks of node `a` and of node `b`");
    assert_snapshot!(decode(&lock(r#"{"ResourceAddress":"/cluster/node/a/i","value":"LOCKED"}"#).replace("30.5Z", "30.5")), @"error: the event's `time` cannot be read: `2026-11-23T06:40:30.5` is not an RFC 3339 time with a zone, such as 2026-11-23T06:40:30.5Z: failed to find offset component, which is required for parsing a timestamp");
}
