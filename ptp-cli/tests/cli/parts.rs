//! One log in several files, and several nodes in one.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{run, top};

fn log() -> Vec<String> {
    let packed = fs::File::open(top().join("ptp-cli/tests/field/link-loss.log.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut text).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// How many events there were, of which nodes, and each incident's cause, status, begin and node.
fn told(args: &[&str]) -> Value {
    let output = run(&[&["diagnose", "--format", "json"], args].concat());
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{args:?}: {}", String::from_utf8_lossy(&output.stderr)));
    let nodes = report["nodes"].as_array().unwrap().iter();
    let incidents = report["incidents"].as_array().unwrap().iter();
    json!({
        "events": report["input"]["events"],
        "nodes": nodes.map(|node| &node["node"]).collect::<Vec<_>>(),
        "incidents": incidents.map(|incident| json!([
            incident["root_cause"], incident["status"], incident["opened_at"], incident["origin_nodes"],
        ])).collect::<Vec<_>>(),
    })
}

/// Names of the parts of one log, the first written first.
const ROTATIONS: &[[&str; 3]] = &[
    ["worker-1/0.log.20260304-100100.gz", "worker-1/0.log.20260304-100200", "worker-1/0.log"],
    ["worker-1.log.2.gz", "worker-1.log.1", "worker-1.log"],
    ["worker-1/messages-20260303.gz", "worker-1/messages-20260304", "worker-1/messages"],
    [
        "worker-1/ptp-2026-03-04-09.log",
        "worker-1/ptp-2026-03-04-10.log",
        "worker-1/ptp-2026-03-04-11.log",
    ],
    ["worker-1/0.log", "worker-1/1.log", "worker-1/2.log"],
    [
        "nodes/worker-1/logs/rotated/0.log.20260304-100100.gz",
        "nodes/worker-1/logs/previous.log",
        "nodes/worker-1/logs/current.log",
    ],
];

#[test]
fn rotated_logs_are_one() {
    let lines = log();
    let whole = TempDir::new().unwrap();
    write(whole.path(), "worker-1.log", lines.join("\n").as_bytes());
    let expect = told(&[whole.path().to_str().unwrap()]);
    assert_eq!(expect["incidents"][0][0], "ptp-path-loss");
    let third = lines.len() / 3;
    // The parts overlap, as those of a log that is copied while it is rotated do.
    let parts = [&lines[..third + 20], &lines[third..2 * third + 20], &lines[2 * third..]];
    for names in ROTATIONS {
        let folder = TempDir::new().unwrap();
        for (name, part) in names.iter().zip(parts) {
            let text = part.join("\n");
            let packed = Path::new(name).extension().is_some_and(|end| end == "gz");
            let bytes = if packed { gzip(text.as_bytes()) } else { text.into_bytes() };
            write(folder.path(), name, &bytes);
        }
        assert_eq!(told(&[folder.path().to_str().unwrap()]), expect, "{names:?}");
    }
}

#[test]
fn several_nodes_in_one_file_are_told_apart() {
    let lines = log();
    // The other one is well: the same until its link is lost.
    let lost = lines.iter().position(|line| line.contains("SLAVE to")).unwrap();
    let well = &lines[..lost];
    let joined = |before: fn(&str) -> String, each: fn(&str, &str) -> String| {
        let part = |name: &str, lines: &[String]| {
            let lines = lines.iter().map(|line| each(name, line)).collect::<Vec<_>>();
            format!("{}{}\n", before(name), lines.join("\n"))
        };
        part("worker-1", &lines) + &part("worker-2", well)
    };
    let forms: [(&str, String); 4] = [
        ("tail", joined(|name| format!("==> {name}.log <==\n"), |_, line| line.to_owned())),
        ("ripgrep", joined(|name| format!("logs/{name}.log\n"), |_, line| line.to_owned())),
        ("clush", joined(|name| format!("-----\n{name}\n-----\n"), |_, line| line.to_owned())),
        ("pdsh", joined(|_| String::new(), |name, line| format!("{name}: {line}"))),
    ];
    for (form, text) in forms {
        let folder = TempDir::new().unwrap();
        write(folder.path(), "all.log", text.as_bytes());
        let report = told(&[folder.path().join("all.log").to_str().unwrap()]);
        assert_eq!(report["nodes"], json!(["worker-1", "worker-2"]), "{form}");
        assert_eq!(report["incidents"].as_array().unwrap().len(), 1, "{form}");
        assert_eq!(report["incidents"][0][3], json!(["worker-1"]), "{form}");
    }
}

#[test]
fn archives_in_archives_are_opened_once() {
    let text = log().join("\n");
    let pack = |name: &str, bytes: &[u8]| {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, bytes).unwrap();
        archive.into_inner().unwrap()
    };
    let folder = TempDir::new().unwrap();
    write(folder.path(), "plain.log", text.as_bytes());
    let of = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let expect = told(&["--node-name", "worker-1", &of("plain.log")]);
    let once = pack("worker-1.log", text.as_bytes());
    let twice = pack("one.tar", &once);
    let thrice = pack("two.tar", &twice);
    write(folder.path(), "twice.tar", &twice);
    write(folder.path(), "thrice.tar", &thrice);
    write(folder.path(), "four.tar", &pack("three.tar", &thrice));
    write(folder.path(), "double.log.gz", &gzip(&gzip(text.as_bytes())));
    for name in ["twice.tar", "thrice.tar", "double.log.gz"] {
        assert_eq!(told(&["--node-name", "worker-1", &of(name)]), expect, "{name}");
    }
    let output = run(&["diagnose", &of("four.tar")]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("an archive in an archive in an archive"), "{stderr}");
}

#[test]
fn pods_are_named_by_the_nodes_they_run_on() {
    let folder = TempDir::new().unwrap();
    let text: Vec<_> = log()
        .iter()
        .map(|line| format!("[pod/linuxptp-daemon-x7k2p/linuxptp-daemon-container] {line}"))
        .collect();
    write(folder.path(), "all.log", text.join("\n").as_bytes());
    let list = r#"{"items":[{"metadata":{"name":"linuxptp-daemon-x7k2p"},"spec":{"nodeName":"worker-9"}}]}"#;
    write(folder.path(), "list.json", list.as_bytes());
    let of = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    assert_eq!(told(&["--pods", &of("list.json"), &of("all.log")])["nodes"], json!(["worker-9"]));
    // In a folder the list is found by its name.
    fs::rename(of("list.json"), of("pods.json")).unwrap();
    assert_eq!(told(&[folder.path().to_str().unwrap()])["nodes"], json!(["worker-9"]));
    let output = run(&["diagnose", "--pods", &of("all.log"), &of("all.log")]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("lists no pod with its node"), "{stderr}");
}

#[test]
fn what_a_file_is_taken_for_is_said() {
    let folder = TempDir::new().unwrap();
    let text = log();
    write(folder.path(), "worker-1.log", format!("{}\nhello\n", text.join("\n")).as_bytes());
    write(folder.path(), "events.txt", "LAST SEEN   TYPE\n2m          Normal\n".as_bytes());
    write(folder.path(), "ptp4l.log", b"ptp4l[1.000]: some words that mean nothing\n");
    let of = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let recording = top().join("recordings/gnss_loss.jsonl").to_str().unwrap().to_owned();
    let files = [of("worker-1.log"), recording, of("events.txt"), of("ptp4l.log")];
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let output = run(&[&["diagnose", "--what"], &files[..]].concat());
    assert_eq!(output.status.code(), Some(0));
    let folder = folder.path().to_str().unwrap();
    let told = String::from_utf8(output.stdout).unwrap().replace(folder, "DIR");
    insta::assert_snapshot!(told.replace(top().to_str().unwrap(), "TOP"), @"
    DIR/worker-1.log
      taken for  log of phc2sys, ptp4l
      from       2026-03-04 10:00:00.000 UTC to 2026-03-04 10:04:59.400 UTC
      nodes      worker-1
      understood 422 lines
      otherwise  1 line is neither linuxptp's nor events, such as `hello`
    TOP/recordings/gnss_loss.jsonl
      taken for  events
      from       2026-11-23 06:41:21.269 UTC to 2026-11-23 06:41:24.409 UTC
      nodes      gmnode
      events     9
    DIR/events.txt
      taken for  nothing
      otherwise  2 lines are neither linuxptp's nor events, such as `LAST SEEN   TYPE`
    DIR/ptp4l.log
      taken for  log of ptp4l
      from       1970-01-01 00:00:01.000 UTC to 1970-01-01 00:00:01.000 UTC
      nodes      ptp4l
      otherwise  1 line is linuxptp's, telling nothing of a clock, such as `ptp4l[1.000]: some words that mean nothing`
    ");
}
