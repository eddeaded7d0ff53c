//! However a recording is cut, shuffled or doubled, its diagnosis is the same bytes.

use std::fs;
use std::io::Write as _;

use proptest::prelude::*;
use tempfile::TempDir;

use crate::{command, run, top};

/// The JSON report without what describes the files themselves.
fn diagnosis(files: &[&str]) -> String {
    let output = run(&[&["diagnose", "--format", "json"], files].concat());
    assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    without_input(&output.stdout)
}

fn without_input(json: &[u8]) -> String {
    let mut report: serde_json::Value = serde_json::from_slice(json).unwrap();
    report["input"]["files"] = serde_json::Value::Null;
    report["input"]["duplicates"] = serde_json::Value::Null;
    report.to_string()
}

/// Every recording of events as one story, in time order.
fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for name in ["gnss_loss", "bc_holdover_timeout", "real-ptp4l-linkdown", "synce", "bc_recover"] {
        let text = fs::read_to_string(top().join(format!("recordings/{name}.jsonl"))).unwrap();
        lines.extend(text.lines().map(str::to_owned));
    }
    let time = |line: &String| {
        let event = ptp_events::Event::from_slice(line.as_bytes()).unwrap();
        event.stamped
    };
    lines.sort_by_key(time);
    lines
}

fn write(dir: &TempDir, name: &str, lines: &[String]) -> String {
    let path = dir.path().join(name);
    let mut file = fs::File::create(&path).unwrap();
    for line in lines {
        writeln!(file, "{line}").unwrap();
    }
    path.display().to_string()
}

proptest! {
    // Each case runs the program; the engine's own laws are tested with many more.
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cut_doubled_or_shuffled_it_is_the_same(
        cut: prop::sample::Index,
        twice in proptest::collection::vec(any::<prop::sample::Index>(), 0..10),
        shifts in proptest::collection::vec(0u64..2_000_000_000, 100),
    ) {
        let dir = TempDir::new().unwrap();
        let lines = lines();
        let whole = diagnosis(&[&write(&dir, "whole.jsonl", &lines)]);

        let (first, second) = lines.split_at(cut.index(lines.len()));
        if !first.is_empty() && !second.is_empty() {
            let first = write(&dir, "first.jsonl", first);
            let second = write(&dir, "second.jsonl", second);
            prop_assert_eq!(&diagnosis(&[&first, &second]), &whole);
            prop_assert_eq!(&diagnosis(&[&second, &first]), &whole);
        }

        let mut doubled = lines.clone();
        for index in twice {
            let at = index.index(doubled.len());
            doubled.insert(at, doubled[at].clone());
        }
        prop_assert_eq!(&diagnosis(&[&write(&dir, "doubled.jsonl", &doubled)]), &whole);

        let mut shuffled: Vec<_> = lines.iter().zip(&shifts).map(|(line, shift)| {
            let event = ptp_events::Event::from_slice(line.as_bytes()).unwrap();
            (event.stamped.unwrap().as_nanos() + i64::try_from(*shift).unwrap(), line.clone())
        }).collect();
        shuffled.sort();
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, line)| line).collect();
        prop_assert_eq!(&diagnosis(&[&write(&dir, "shuffled.jsonl", &shuffled)]), &whole);
    }
}

#[test]
fn a_second_run_gives_the_same_bytes() {
    let args = ["diagnose", "--format", "json", "recordings/real-ptp4l-linkdown.jsonl"];
    assert_eq!(run(&args).stdout, run(&args).stdout);
}

/// Files concatenated node by node are far from time order, and diagnosed all the same.
#[test]
fn order_in_the_file_does_not_matter() {
    let dir = TempDir::new().unwrap();
    let lines = lines();
    let mut backwards = lines.clone();
    backwards.reverse();
    let whole = diagnosis(&[&write(&dir, "whole.jsonl", &lines)]);
    assert_eq!(diagnosis(&[&write(&dir, "backwards.jsonl", &backwards)]), whole);
}

#[test]
fn a_pipe_and_a_compressed_file_read_like_a_file() {
    let expect = diagnosis(&["recordings/gnss_loss.jsonl"]);
    let bytes = fs::read(top().join("recordings/gnss_loss.jsonl")).unwrap();
    let piped =
        command(&["diagnose", "--format", "json", "-"]).write_stdin(bytes).output().unwrap();
    assert_eq!(without_input(&piped.stdout), expect);
}
