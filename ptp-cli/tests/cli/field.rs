//! Evidence as people have it: what must be said of it, and what must never be.

mod logs;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use crate::{command, run, top};

fn field(name: &str) -> String {
    top().join("ptp-cli/tests/field").join(name).display().to_string()
}

fn report(args: &[&str]) -> Value {
    let output = run(&[&["diagnose", "--format", "json"], args].concat());
    let stderr = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{args:?}: {stderr}"))
}

/// The incidents of WARNING or worse.
fn bad(report: &Value) -> Vec<&Value> {
    let incidents = report["incidents"].as_array().unwrap().iter();
    incidents.filter(|incident| incident["severity"] != "INFO").collect()
}

/// What is expected of one file.
struct Row {
    file: &'static str,
    why: &'static str,
    args: &'static [&'static str],
    /// The root causes of the bad incidents.
    causes: &'static [&'static str],
    says: &'static [&'static str],
    unsaid: &'static [&'static str],
}

const fn caused(file: &'static str, why: &'static str, causes: &'static [&'static str]) -> Row {
    Row { file, why, args: NODE, causes, says: &[], unsaid: &[] }
}

/// For logs, which do not say whose they are.
const NODE: &[&str] = &["--node-name", "n1"];

const ROWS: &[Row] = &[
    Row {
        file: "logreduce-healthy.log.gz",
        why: "logReduce leaves every offset out; SLAVE is a lock all the same",
        args: &[],
        causes: &[],
        says: &["\"state\": \"LOCKED\""],
        unsaid: &[],
    },
    Row {
        file: "logreduce-grandmaster.log.gz",
        why: "the same of a grandmaster",
        args: &[],
        causes: &[],
        says: &["\"state\": \"LOCKED\""],
        unsaid: &[],
    },
    Row {
        file: "logreduce-linkdown.log.gz",
        why: "the cable was out for 10 s, and all is well since",
        args: &[],
        causes: &["ptp-path-loss"],
        says: &["\"status\": \"resolved\""],
        unsaid: &[],
    },
    Row {
        file: "npn-port.log.gz",
        why: "the publisher's alias of ens5f0np0 is ens5fx, and commands name the port",
        args: &[],
        causes: &["ptp-path-loss"],
        says: &["ens5fx/master", "ethtool -S ens5f0np0"],
        unsaid: &["ens5f0npx"],
    },
    Row {
        file: "h-eth0.log",
        why: "a port without a function",
        args: &[],
        causes: &["ptp-path-loss"],
        says: &["ethtool -S eth0"],
        unsaid: &["ethx"],
    },
    Row {
        file: "h-eno1.log",
        why: "a port on the board",
        args: &[],
        causes: &["ptp-path-loss"],
        says: &["ethtool -S eno1"],
        unsaid: &["enox"],
    },
    Row {
        file: "h-enp3s0.log",
        why: "a port by its slot",
        args: &[],
        causes: &["ptp-path-loss"],
        says: &["ethtool -S enp3s0"],
        unsaid: &["enp3sx"],
    },
    Row {
        file: "h-ens1f1.log",
        why: "the second port of a card, and not its first",
        args: &[],
        causes: &["ptp-path-loss"],
        says: &["ethtool -S ens1f1"],
        unsaid: &["ethtool -S ens1f0"],
    },
    Row {
        file: "cepv2-healthy-grandmaster.jsonl",
        why: "the daemon's own event API sends gpsFix 0 for one it does not know",
        args: &["--settle", "30m"],
        causes: &[],
        says: &[],
        unsaid: &["clock-class\""],
    },
    Row {
        file: "cepv2-gnss-loss-without-gnss-events.jsonl",
        why: "only a T-GM announces 7 and 140 of itself",
        args: &[],
        causes: &["gnss-signal-loss"],
        says: &["\"t-gm\""],
        unsaid: &[],
    },
    Row {
        file: "starlingx-synce.jsonl",
        why: "synce-inst1 is an instance on controller-0",
        args: &[],
        causes: &["synce-degraded"],
        says: &["\"node\": \"controller-0\""],
        unsaid: &["\"node\": \"synce-inst1\""],
    },
    Row {
        file: "min-wrong-domain.jsonl",
        why: "a lock-state with a number only is no state yet, and never became one",
        args: &[],
        causes: &["misconfiguration"],
        says: &[],
        unsaid: &[],
    },
    caused("min-ptp4l-died.jsonl.gz", "ptp4l died and stays dead", &["process-down"]),
    caused("min-37s-step.jsonl.gz", "the node's time steps by 37 s", &["timescale-mismatch"]),
    caused(
        "min-freerun-first-hour-300.jsonl.gz",
        "300 ns off soon after a start",
        &["path-asymmetry"],
    ),
    caused(
        "min-flaps-then-link-down.jsonl.gz",
        "a second fault has its own name",
        &["ptp-path-loss"],
    ),
    caused("drift-after-90min-every1s.log.gz", "a drift, one line a second", &["oscillator-drift"]),
    caused(
        "r-better-master-r3.log.gz",
        "real ptp4l chose a better master",
        &["grandmaster-switch"],
    ),
    caused(
        "live-os-clock-rival.jsonl.gz",
        "a rival daemon, soon after a start",
        &["gnss-signal-loss", "os-clock-fault"],
    ),
    caused("class-flaps.log.gz", "class 6, 140, 6, sixty times", &["grandmaster-unstable"]),
    Row {
        file: "ntp-failover.jsonl.gz",
        why: "PTP lost and back; the publisher's sync-state sticks at FREERUN",
        args: &[],
        causes: &["ptp-path-loss", "publisher-artefact"],
        says: &["\"status\": \"resolved\""],
        unsaid: &[],
    },
    Row {
        file: "min-reboot.jsonl.gz",
        why: "a node that reboots announces 248 and large offsets first",
        args: &[],
        causes: &[],
        says: &[],
        unsaid: &[],
    },
    Row {
        file: "min-tbc-start.log.gz",
        why: "a T-BC's start: no measurement for 40 s, then LOCKED",
        args: NODE,
        causes: &[],
        says: &[],
        unsaid: &[],
    },
    Row {
        file: "oc-healthy.log.gz",
        why: "a healthy ordinary clock",
        args: NODE,
        causes: &[],
        says: &[],
        unsaid: &[],
    },
];

#[test]
fn evidence_from_the_field_is_told_for_what_it_is() {
    for row in ROWS.iter().chain(logs::LOGS).chain(logs::MADE) {
        let path = field(row.file);
        let report = report(&[row.args, &[path.as_str()]].concat());
        let text = serde_json::to_string_pretty(&report).unwrap();
        let causes: Vec<_> =
            bad(&report).iter().map(|i| i["root_cause"].as_str().unwrap()).collect();
        assert_eq!(causes, row.causes, "{}: {}", row.file, row.why);
        for says in row.says {
            assert!(text.contains(says), "{} says nothing of {says}: {}", row.file, row.why);
        }
        for unsaid in row.unsaid {
            assert!(!text.contains(unsaid), "{} says {unsaid}: {}", row.file, row.why);
        }
    }
}

#[test]
fn a_real_line_of_the_sidecar_is_read_from_a_pipe() {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("ptp-cli"));
    // Without files and without `-`.
    let mut child = command
        .args(["diagnose", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = fs::read(field("min-proxy-log-1line.log")).unwrap();
    child.stdin.take().unwrap().write_all(&line).unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["input"]["events"], 1);
    assert_eq!(report["nodes"][0]["node"], "n1");
}

#[test]
fn events_may_leave_out_their_time_where_their_receipt_is_known() {
    let dir = TempDir::new().unwrap();
    let event = r#"{"specversion":"1.0","id":"1","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","data":{"version":"1.0","values":[{"ResourceAddress":"/cluster/node/n1/ens1fx/master","data_type":"notification","value_type":"enumeration","value":"LOCKED"}]}}"#;
    let with_receipt = dir.path().join("a.jsonl");
    let line = format!("{{\"received\":\"2026-11-23T06:40:30Z\",\"event\":{event}}}\n");
    fs::write(&with_receipt, line).unwrap();
    let read = report(&[with_receipt.to_str().unwrap()]);
    assert_eq!(read["input"]["first"], "2026-11-23T06:40:30Z");
    assert_eq!(read["nodes"][0]["state"], "LOCKED");
    let without = dir.path().join("b.jsonl");
    fs::write(&without, format!("{event}\n")).unwrap();
    let output = run(&["diagnose", without.to_str().unwrap()]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("no `time`, and nothing says when it was received"), "{stderr}");
}

/// Where chronyd stands in for phc2sys, the one that is down says so with a sentinel.
#[test]
fn two_words_on_the_system_clock_are_told_apart() {
    let value = |kind: &str, value: &str| {
        format!(
            r#"{{"ResourceAddress":"/cluster/node/n1/CLOCK_REALTIME","data_type":"{kind}","value":"{value}"}}"#
        )
    };
    let down = [value("notification", "FREERUN"), value("metric", "-9999999999999999")].join(",");
    let steers = [value("notification", "LOCKED"), value("metric", "12")].join(",");
    let dir = TempDir::new().unwrap();
    for (order, values) in [[&down, &steers], [&steers, &down]].into_iter().enumerate() {
        let values = values.map(String::as_str).join(",");
        let event = format!(
            r#"{{"id":"1","source":"/sync/sync-status/os-clock-sync-state","type":"event.sync.sync-status.os-clock-sync-state-change","time":"2026-11-23T06:40:30Z","data":{{"values":[{values}]}}}}"#
        );
        let path = dir.path().join(format!("{order}.jsonl"));
        fs::write(&path, event).unwrap();
        let report = report(&[path.to_str().unwrap()]);
        let clocks = &report["nodes"][0]["clocks"];
        assert_eq!(clocks.as_array().unwrap().len(), 1, "{clocks}");
        assert_eq!(
            (&clocks[0]["state"], &clocks[0]["offset_ns"]["last"]),
            (&"LOCKED".into(), &12.into())
        );
    }
}

#[test]
fn a_node_that_nobody_knows_is_no_all_clear() {
    let output = run(&["diagnose", "--node", "gmnod", "recordings/gnss_loss.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expect = "error: nothing is known of a node `gmnod`\n  hint: did you mean `gmnode`?\n";
    assert_eq!(stderr, expect);
}

/// A sample a minute for half an hour, nothing for an hour, and then again.
fn recording_with_a_hole() -> String {
    let mut text = String::new();
    for minute in (0..30).chain(90..120) {
        let time = format!("2026-11-23T{:02}:{:02}:00Z", 6 + minute / 60, minute % 60);
        let line = format!(
            "{{\"received\":\"{time}\",\"origin\":\"pull\",\"event\":{{\"id\":\"{minute}\",\"source\":\"/sync/ptp-status/lock-state\",\"type\":\"event.sync.ptp-status.ptp-state-change\",\"time\":\"{time}\",\"data\":{{\"values\":[\
             {{\"ResourceAddress\":\"/cluster/node/n1/ens1fx/master\",\"data_type\":\"notification\",\"value\":\"LOCKED\"}},\
             {{\"ResourceAddress\":\"/cluster/node/n1/ens1fx/master\",\"data_type\":\"metric\",\"value\":\"{}\"}}]}}}}}}\n",
            minute % 40
        );
        text.push_str(&line);
    }
    text
}

#[test]
fn a_hole_is_unknown_in_figures_and_picture() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("hole.jsonl");
    fs::write(&path, recording_with_a_hole()).unwrap();
    let path = path.to_str().unwrap();
    let read = report(&[path]);
    let node = &read["nodes"][0];
    let times = &node["time_in_state_s"];
    // Two half hours less a minute each; the time that settles is not among it.
    assert_eq!((&times["LOCKED"], &times["UNKNOWN"]), (&3480.0.into(), &3660.0.into()), "{node:#}");
    assert_eq!(node["clocks"][0]["since"], "2026-11-23T07:30:00Z", "not across the hole");
    let human = String::from_utf8(run(&["diagnose", path]).stdout).unwrap();
    let bar = human.lines().find(|line| line.contains("ens1fx/master  ")).unwrap();
    let cells = bar.rsplit(' ').next().unwrap();
    assert!(cells.starts_with("=======") && cells.ends_with("======="), "{bar}");
    assert!(cells.matches('.').count() > 18, "{bar}");
}

/// What passes after the end of a recording was not observed: nobody fell silent in it.
#[test]
fn settling_is_not_observing() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("hole.jsonl");
    let text = recording_with_a_hole();
    let first_half: Vec<_> = text.lines().take(30).collect();
    fs::write(&path, first_half.join("\n")).unwrap();
    let read = report(&["--settle", "12h", path.to_str().unwrap()]);
    assert_eq!(bad(&read).len(), 0, "{:#}", read["incidents"]);
    assert_eq!(read["nodes"][0]["time_in_state_s"]["LOCKED"], 1740.0);
    assert_eq!(read["nodes"][0]["state"], "LOCKED");
}

/// A daemon's log of one lost link, as `oc logs` prints it.
fn log(node: usize) -> String {
    let text = fs::read_to_string(top().join("ptp-cli/tests/field/h-ens1f1.log")).unwrap();
    text.replace("ens1f1", &format!("ens{}f1", node + 1))
}

#[test]
fn lines_of_several_pods_are_told_apart_by_their_prefix() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("all.log");
    let of = |pod: &str, log: &str| {
        let line = |line: &str| format!("[pod/{pod}/linuxptp-daemon-container] {line}");
        log.lines().map(line).collect::<Vec<_>>()
    };
    let log_of_b = log(1);
    let healthy: Vec<_> = log_of_b.lines().filter(|line| !line.contains("FAULTY")).collect();
    let (a, b) = (of("linuxptp-daemon-a", &log(0)), of("linuxptp-daemon-b", &healthy.join("\n")));
    let longest = a.len().max(b.len());
    let mixed = (0..longest).flat_map(|at| [a.get(at), b.get(at)]).flatten().cloned();
    fs::write(&path, mixed.collect::<Vec<_>>().join("\n")).unwrap();
    let nodes = |read: &Value| -> Vec<Value> {
        read["nodes"].as_array().unwrap().iter().map(|n| n["node"].clone()).collect()
    };
    let read = report(&[path.to_str().unwrap()]);
    assert_eq!(nodes(&read), ["linuxptp-daemon-a", "linuxptp-daemon-b"]);
    // Who says whose log it is may know only one of them.
    let named = report(&["--node-name", "w1", path.to_str().unwrap()]);
    assert_eq!(nodes(&named), ["linuxptp-daemon-b", "w1"]);
    let incidents = bad(&read);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["origin_nodes"], serde_json::json!(["linuxptp-daemon-a"]));
}

/// A must-gather of two nodes, and a file that is of no use.
fn must_gather() -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for node in 0..2 {
        let pod = format!("linuxptp-daemon-{node}");
        let folder = PathBuf::from("mg/namespaces/openshift-ptp/pods").join(&pod);
        let container = "linuxptp-daemon-container";
        let logs = folder.join(container).join(container).join("logs/current.log");
        files.push((logs, log(node).into_bytes()));
        let yaml = format!("kind: Pod\nspec:\n  nodeName: worker-{node}\n");
        files.push((folder.join(format!("{pod}.yaml")), yaml.into_bytes()));
    }
    files.push((PathBuf::from("mg/version"), b"4.18".to_vec()));
    files
}

fn tar(files: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, &bytes[..]).unwrap();
    }
    tar.into_inner().unwrap()
}

fn zip(files: &[(PathBuf, Vec<u8>)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in files {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(path.to_str().unwrap(), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn an_archive_is_read_as_what_it_holds() {
    let dir = TempDir::new().unwrap();
    let files = must_gather();
    for (path, bytes) in &files {
        let path = dir.path().join("folder").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar(&files)).unwrap();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(&tar(&files)[..], level);
    let archives = [
        ("a.tar", tar(&files)),
        ("a.tar.gz", gzip.finish().unwrap()),
        ("a.tar.zst", zstd),
        ("a.zip", zip(&files)),
    ];
    let outline = |path: &str| {
        let mut read = report(&[path]);
        read["input"]["files"].take();
        read
    };
    let expect = outline(dir.path().join("folder").to_str().unwrap());
    assert_eq!(expect["nodes"].as_array().unwrap().len(), 2);
    for (name, bytes) in &archives {
        let path = dir.path().join(name);
        fs::write(&path, bytes).unwrap();
        assert_eq!(outline(path.to_str().unwrap()), expect, "{name}");
        let mut piped = command(&["diagnose", "--format", "json", "-"]);
        let piped = piped.write_stdin(bytes.clone()).output().unwrap();
        let mut piped: Value = serde_json::from_slice(&piped.stdout).unwrap();
        piped["input"]["files"].take();
        assert_eq!(piped, expect, "{name} from a pipe");
    }
    // Cut off in the second log: the first counts.
    let torn = dir.path().join("torn.tar");
    let whole = &archives[0].1;
    let cut = whole.windows(6).rposition(|bytes| bytes == b"FAULTY").unwrap();
    fs::write(&torn, &whole[..cut]).unwrap();
    let output = run(&["diagnose", "--format", "json", torn.to_str().unwrap()]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("damaged or cut off"), "{stderr}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(bad(&read).len(), 1, "the loss in the first log, and not that in the second");
}

#[test]
fn a_folder_of_recordings_is_read_and_what_is_none_is_not() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("worker-0.log"), log(0)).unwrap();
    fs::copy(top().join("recordings/gnss_loss.jsonl"), dir.path().join("b.jsonl")).unwrap();
    fs::write(dir.path().join("notes.txt"), "call the data centre").unwrap();
    fs::write(dir.path().join("core.bin"), [0u8; 100]).unwrap();
    let output = run(&["diagnose", "--format", "json", dir.path().to_str().unwrap()]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("skipped 2 other files"), "{stderr}");
    let read: Value = serde_json::from_slice(&output.stdout).unwrap();
    let nodes: Vec<_> =
        read["nodes"].as_array().unwrap().iter().map(|n| n["node"].clone()).collect();
    assert_eq!(nodes, ["gmnode", "worker-0"]);
}

#[test]
fn outputs_are_not_overwritten_and_names_compress() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let diagnose = |output: &str, more: &[&str]| {
        let args = ["diagnose", "recordings/gnss_loss.jsonl", "-o", output];
        run(&[&args[..], more].concat())
    };
    let (plain, gzip) = (path("report.txt"), path("report.txt.gz"));
    assert_eq!(diagnose(&plain, &[]).status.code(), Some(1));
    assert_eq!(diagnose(&gzip, &[]).status.code(), Some(1));
    let text = fs::read_to_string(&plain).unwrap();
    assert!(text.contains("GNSS signal lost on gmnode") && !text.contains('\u{1b}'));
    let mut unpacked = String::new();
    let file = fs::File::open(&gzip).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut unpacked).unwrap();
    assert_eq!(unpacked, text);
    let again = diagnose(&plain, &[]);
    assert_eq!(again.status.code(), Some(2));
    let stderr = String::from_utf8(again.stderr).unwrap();
    let expect = format!("error: `{plain}` is there already\n  hint: --force overwrites it\n");
    assert_eq!(stderr, expect);
    assert_eq!(diagnose(&plain, &["--force"]).status.code(), Some(1));
    for name in ["s.jsonl", "t.jsonl.zst"] {
        let file = path(name);
        let simulate = ["simulate", "path-loss", "-o", &file];
        assert!(run(&simulate).status.success());
        assert_eq!(run(&simulate).status.code(), Some(2));
        assert!(run(&[&simulate[..], &["--force"]].concat()).status.success());
        assert_eq!(run(&["diagnose", &file]).status.code(), Some(1), "{name}");
    }
}

#[test]
fn times_may_be_said_as_people_say_them() {
    let whole = report(&["recordings/gnss_loss.jsonl"]);
    let since = report(&["--since", "2026-11-23 06:41", "recordings/gnss_loss.jsonl"]);
    assert_eq!(whole["incidents"], since["incidents"]);
    // Long ago, whenever this is run.
    let output = run(&["diagnose", "--since", "2100-01-01", "recordings/gnss_loss.jsonl"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("they are from 2026-11-23T06:41:21"), "{stderr}");
    let output = run(&["diagnose", "--since", "soon", "recordings/gnss_loss.jsonl"]);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("`soon` is no time: write 1h (from now), 03:00"), "{stderr}");
}

/// What could be read of a file that was cut off is diagnosed; without a finding it is no all-clear.
#[test]
fn what_is_cut_off_is_read_as_far_as_it_goes() {
    let dir = TempDir::new().unwrap();
    let healthy = recording_with_a_hole().lines().take(30).collect::<Vec<_>>().join("\n");
    let whole: Vec<u8> = {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(healthy.as_bytes()).unwrap();
        gzip.flush().unwrap();
        let flushed = gzip.get_ref().len();
        gzip.finish().unwrap()[..flushed].to_vec()
    };
    fs::write(dir.path().join("torn.jsonl.gz"), whole).unwrap();
    let torn = dir.path().join("torn.jsonl.gz").display().to_string();
    let output = run(&["diagnose", &torn]);
    let (stdout, stderr) = (String::from_utf8(output.stdout), String::from_utf8(output.stderr));
    assert_eq!(output.status.code(), Some(2));
    assert!(stdout.unwrap().starts_with("No incidents."));
    let stderr = stderr.unwrap();
    assert!(stderr.contains("what came before is diagnosed"), "{stderr}");
    assert!(stderr.contains("this is no all-clear"), "{stderr}");
    // Beside it, another file counts in full.
    fs::copy(top().join("recordings/gnss_loss.jsonl"), dir.path().join("b.jsonl")).unwrap();
    let output = run(&["diagnose", dir.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(run(&["diagnose", "--strict", &torn]).status.code(), Some(2));
}

/// All that stop at once are one hole, whenever each was sampled last.
#[test]
fn a_hole_in_what_all_say_is_one_incident() {
    let mut lines = Vec::new();
    for node in 0..12 {
        for (minute, line) in recording_with_a_hole().lines().enumerate() {
            let shift = format!(":{:02}Z", node * 5);
            let line = line.replace("/node/n1/", &format!("/node/n{node}/"));
            lines.push((minute, node, line.replace(":00Z", &shift)));
        }
    }
    lines.sort();
    let text: Vec<_> = lines.into_iter().map(|(.., line)| line).collect();
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("all.jsonl");
    fs::write(&path, text.join("\n")).unwrap();
    let read = report(&[path.to_str().unwrap()]);
    let incidents = bad(&read);
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!(incidents[0]["affected_nodes"].as_array().unwrap().len(), 12);
}

#[test]
fn a_report_goes_where_it_is_meant_to_and_over_nothing_that_is_read() {
    let dir = TempDir::new().unwrap();
    let input = dir.path().join("in.jsonl");
    fs::copy(top().join("recordings/gnss_loss.jsonl"), &input).unwrap();
    let input = input.to_str().unwrap();
    let output = run(&["diagnose", "--force", "-o", input, input]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is what is to be read"));
    let output = run(&["diagnose", "-o", "-", input]);
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("1 incident, CRITICAL"));
    assert_eq!(run(&["diagnose", "-o", "/dev/null", input]).status.code(), Some(1));
    // Who closes the pipe early learns of the incident all the same.
    let program = assert_cmd::cargo::cargo_bin!("ptp-cli");
    let mut child = std::process::Command::new(program)
        .args(["diagnose", input])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

#[test]
fn the_end_of_a_time_comes_after_its_beginning() {
    let time = ["--since", "2026-11-24", "--until", "2026-11-23"];
    let output = run(&[&["diagnose", "recordings/gnss_loss.jsonl"][..], &time].concat());
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("is not before --until"), "{stderr}");
    assert_eq!(
        run(&["diagnose", "--since", "4000d", "recordings/gnss_loss.jsonl"]).status.code(),
        Some(1)
    );
}
