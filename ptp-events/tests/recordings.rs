//! The recordings of the real publisher, and the forms a recording can have.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use insta::assert_snapshot;
use ptp_events::daemon::{DaemonLog, DaemonSettings};
use ptp_events::observation::Evidence;
use ptp_events::recording::{
    Batches, Merge, Origin, ReadError, Reader, Recorded, Sequence, Writer, decompress,
};
use ptp_events::{NodeName, Received};

fn recordings() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../recordings")
}

/// How many events, bad lines and other lines a text holds.
fn count(bytes: &[u8]) -> (usize, usize, u64) {
    let mut reader = Reader::new(bytes);
    let (mut good, mut bad) = (0, 0);
    for item in reader.by_ref() {
        match item {
            Ok(_) => good += 1,
            Err(_) => bad += 1,
        }
    }
    (good, bad, reader.other_lines())
}

#[test]
fn every_recorded_event_decodes() {
    let mut table = String::new();
    let mut paths: Vec<_> =
        fs::read_dir(recordings()).unwrap().map(|e| e.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let (good, bad, other) = count(&fs::read(&path).unwrap());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        writeln!(table, "{name}: {good} events, {bad} bad, {other} other").unwrap();
    }
    assert_snapshot!(table);
}

const EVENT: &str = r#"{"specversion":"1.0","id":"1","source":"/sync/sync-status/sync-state","type":"event.sync.sync-status.synchronization-state-change","time":"2026-11-23T06:40:30Z","data":{"version":"1.0","values":[{"ResourceAddress":"/cluster/node/n/sync/sync-status/sync-state","data_type":"notification","value_type":"enumeration","value":"LOCKED"}]}}"#;

fn all(text: &str) -> Vec<Result<Recorded, ReadError>> {
    Reader::new(text.as_bytes()).collect()
}

#[test]
fn every_form_holds_the_same_event() {
    let expect = all(EVENT).remove(0).unwrap();
    let quoted = serde_json::to_string(EVENT).unwrap();
    let pretty: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    let pretty = serde_json::to_string_pretty(&pretty).unwrap();
    for text in [
        format!("[{EVENT}]"),
        format!("[\n{EVENT}\n]"),
        pretty.clone(),
        format!("[{pretty}]"),
        format!("time=\"x\" level=info msg=\"received event {}\"", &quoted[1..quoted.len() - 1]),
        format!("2026/11/23 event sent {EVENT}"),
        format!("Got CurrentState: {EVENT} done"),
        format!(r#"{{"event":{EVENT}}}"#),
    ] {
        let got = all(&text).remove(0).unwrap();
        assert_eq!((&got.evidence, got.received), (&expect.evidence, None), "{text}");
    }
    // Whatever came before, what a forwarder adds does not make an event something else.
    let added = EVENT.replacen('{', r#"{"event":"x","#, 1);
    for before in ["", &format!(r#"{{"event":{EVENT}}}"#)] {
        assert!(all(&format!("{before}\n{added}")).iter().all(Result::is_ok), "after {before}");
    }
    let request = format!(r#"{{"t_ns":1795416031000114346,"method":"POST","body":{quoted}}}"#);
    let got = all(&request).remove(0).unwrap();
    assert_eq!(got.received, Some(Received::from_nanos(1_795_416_031_000_114_346)));
}

#[test]
fn what_the_writer_writes_reads_back() {
    let evidence = all(EVENT).remove(0).unwrap().evidence;
    let event = evidence.event().unwrap().clone();
    let received = Received::parse("2026-11-23T06:40:30.0015Z").unwrap();
    let mut writer = Writer::new(Vec::new());
    writer.write(received, Origin::Push, &event).unwrap();
    let pretty = EVENT.replace(',', ",\n ");
    writer.write_raw(received, Origin::Pull, Some(&event.node), pretty.as_bytes()).unwrap();
    let text = String::from_utf8(writer.finish().unwrap()).unwrap();
    let got: Vec<_> = all(&text).into_iter().map(Result::unwrap).collect();
    assert_eq!(got.len(), 2);
    assert!(got.iter().all(|r| r.evidence == evidence && r.received == Some(received)));
    assert_eq!((got[0].origin, got[1].origin), (Origin::Push, Origin::Pull));
}

#[test]
fn a_bad_line_is_shown_and_does_not_stop_the_rest() {
    let text = format!("{EVENT}\n{}\n{EVENT}\n", &EVENT[..100]);
    let got = all(&text);
    assert_eq!(got.len(), 3);
    assert_snapshot!(got[1].as_ref().unwrap_err(), @r#"line 2 is not an event: {\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/sync/sync-status/sync-state\",\"type\":\"ev"#);
    assert_eq!(got[2].as_ref().unwrap().line, 3);
}

#[test]
fn files_merge_in_time_order() {
    let read =
        |name: &str| Reader::new(BufReader::new(File::open(recordings().join(name)).unwrap()));
    let merged: Vec<_> = Merge::new(vec![read("gnss_loss.jsonl"), read("bc_lock.jsonl")])
        .map(|(source, recorded)| (source, recorded.unwrap()))
        .collect();
    assert_eq!(merged.len(), 9 + 17);
    assert!(merged.is_sorted_by_key(|(_, recorded)| recorded.time()));
    assert_eq!(merged[0].0, 1);
}

/// The forms in which the daemon's lines are found, compressed or not.
/// The evidence without its time.
fn untimed(recorded: &Recorded) -> Evidence {
    let mut evidence = recorded.evidence.clone();
    match &mut evidence {
        Evidence::Event(event) => event.stamped = None,
        Evidence::Observation(seen) => seen.stamped = None,
    }
    evidence
}

#[test]
fn a_daemons_log_is_recognised_by_what_is_in_it() {
    let json = fs::read(recordings().join("bc_lock.fed.jsonl")).unwrap();
    let lines: Vec<_> = String::from_utf8(json.clone())
        .unwrap()
        .lines()
        .map(|line| {
            let fed: serde_json::Value = serde_json::from_str(line).unwrap();
            (fed["t_ns"].as_i64().unwrap(), fed["line"].as_str().unwrap().to_owned())
        })
        .collect();
    let join = |form: &dyn Fn(&(i64, String)) -> String| {
        lines.iter().map(form).collect::<Vec<_>>().join("\n").into_bytes()
    };
    let prefixed = join(&|(t, line)| format!("{t} {line}"));
    let dated = join(&|(t, line)| format!("{} {line}", Received::from_nanos(*t)));
    let zstd =
        ruzstd::encoding::compress_to_vec(&json[..], ruzstd::encoding::CompressionLevel::Fastest);
    let events = |bytes: &[u8]| {
        let node = NodeName::new("n").unwrap();
        let input = decompress(bytes).unwrap();
        let log = DaemonLog::new(node, DaemonSettings::default());
        Reader::with_daemon(input, log).map(Result::unwrap).collect::<Vec<_>>()
    };
    // What a log says of the lines before it may be known only at its end.
    let in_batches = |bytes: &[u8]| {
        let node = NodeName::new("n").unwrap();
        let log = DaemonLog::new(node, DaemonSettings::default());
        let mut sequence = Sequence::with_daemon(log);
        for batch in Batches::new(bytes) {
            sequence.handle_decoded(batch.unwrap().decode());
        }
        sequence.finish();
        std::iter::from_fn(|| sequence.poll_recorded()).map(Result::unwrap).collect::<Vec<_>>()
    };
    let expect = events(&json);
    assert_eq!(expect.len(), 14);
    assert_eq!(in_batches(&json), expect);
    assert_eq!(events(&zstd), expect);
    // Where somebody else wrote the time down, the brackets tell the distances.
    for bytes in [prefixed, dated] {
        let told = events(&bytes);
        assert_eq!(told.len(), expect.len());
        for (told, expect) in told.iter().zip(&expect) {
            assert_eq!(untimed(told), untimed(expect));
            let apart = told.time().since(expect.time()).max(expect.time().since(told.time()));
            assert!(apart <= Duration::from_secs(2), "{told:?}");
        }
    }
    // The time of day comes late, and an interface's name later still.
    let bare: Vec<_> = lines.iter().map(|(_, line)| line.clone()).collect();
    let late = [bare.join("\n"), format!("{} {}", lines[0].0, lines[0].1)].join("\n");
    assert_eq!(in_batches(late.as_bytes()), events(late.as_bytes()));
    // Whose they are is not in the lines.
    assert_eq!(count(&json), (0, 0, 14));
}
