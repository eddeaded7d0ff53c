//! `ptp-cli conform`: every recording, and simulated nights, judged.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use crate::{run, shown, top};

/// Who is judged as what, how often which verdict was given, and what failed.
fn judged(args: &[&str], all: bool) -> String {
    let json = |more: &[String]| -> Value {
        let mut all = vec!["conform", "--format", "json"];
        all.extend(args);
        all.extend(more.iter().map(String::as_str));
        serde_json::from_slice(&run(&all).stdout).unwrap()
    };
    let nodes = |judged: &Value| judged["nodes"].as_array().unwrap().clone();
    // Of a recording, what nothing shows is taken for boundary clocks.
    let unknown = nodes(&json(&[])).into_iter().filter(|node| all && node["kind"].is_null());
    let kinds: Vec<String> =
        unknown.map(|node| format!("--kind={}=t-bc", node["node"].as_str().unwrap())).collect();
    let mut told = String::new();
    for node in nodes(&json(&kinds)).iter().filter(|node| !node["kind"].is_null()) {
        let judgements = node["judgements"].as_array().unwrap();
        let count = |verdict| judgements.iter().filter(|j| j["verdict"] == verdict).count();
        writeln!(
            told,
            "{} {}: {} failed, {} held, {} partly, {} inconclusive",
            node["node"].as_str().unwrap(),
            node["kind"].as_str().unwrap(),
            count("fail"),
            count("pass"),
            count("partly"),
            count("inconclusive")
        )
        .unwrap();
        for failed in judgements.iter().filter(|j| j["verdict"] == "fail") {
            let says = failed["failures"][0]["says"].as_str().unwrap();
            writeln!(told, "  {}: {says}", failed["requirement"].as_str().unwrap()).unwrap();
        }
    }
    told
}

#[test]
fn every_recording_is_judged() {
    let mut told = String::new();
    let mut names: Vec<String> = fs::read_dir(top().join("recordings"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name).extension().is_some_and(|end| end == "jsonl")
                && !name.contains(".fed.")
                && !name.starts_with("api-")
        })
        .collect();
    names.sort_unstable();
    for name in names {
        let path = format!("recordings/{name}");
        writeln!(told, "{name}\n{}", judged(&[&path], true)).unwrap();
    }
    assert_snapshot!(told);
}

/// A simulated night: what publishers sent, and what daemons logged.
fn night(folder: &Path, kind: &str) -> String {
    let (events, log) = (folder.join("events.jsonl"), folder.join("daemon.log"));
    let (events, log) = (events.to_str().unwrap(), log.to_str().unwrap());
    for (path, more) in [(events, &[][..]), (log, &["--log", "full"][..])] {
        let mut args = vec!["simulate", kind, "--seed", "3", "--force", "-o", path];
        args.extend(more);
        assert!(run(&args).status.success());
    }
    judged(&[events, log], false)
}

#[test]
fn simulated_nights_are_judged() {
    let folder = tempfile::tempdir().unwrap();
    let mut told = String::new();
    for kind in ["gnss-outage-short", "boundary-path-loss"] {
        writeln!(told, "{kind}\n{}", night(folder.path(), kind)).unwrap();
    }
    assert_snapshot!(told);
}

#[test]
fn what_it_prints() {
    let recording = "recordings/gnss_loss.jsonl";
    assert_snapshot!("human", shown(&run(&["conform", "--failed", recording])));
    let junit = shown(&run(&["conform", "--format", "junit", recording]));
    let cases: Vec<&str> = junit.lines().filter(|line| !line.contains("uuid=")).collect();
    assert_snapshot!("junit", cases[..40.min(cases.len())].join("\n"));
    assert_snapshot!("list", shown(&run(&["conform", "--list"])));
    assert_snapshot!(
        "refusals",
        [
            shown(&run(&["conform", "--kind", "nobody=t-bc", recording])),
            shown(&run(&["conform", "--kind", "n1", recording])),
            shown(&run(&["conform", "LICENSE"])),
        ]
        .join("\n")
    );
}
