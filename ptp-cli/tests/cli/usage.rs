//! Flags, errors and the other ways to write a diagnosis.

use std::fs;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::{command, run, shown};

#[test]
fn help_teaches() {
    assert_snapshot!("help", shown(&run(&["--help"])));
    assert_snapshot!("help_diagnose", shown(&run(&["diagnose", "--help"])));
}

#[test]
fn other_formats() {
    for format in ["ndjson", "markdown", "junit"] {
        let output = run(&["diagnose", "--format", format, "recordings/gnss_loss.jsonl"]);
        assert_snapshot!(format!("gnss_loss_{format}"), shown(&output));
    }
}

#[test]
fn explain_knows_every_code_and_says_so() {
    assert_snapshot!("explain_list", shown(&run(&["explain"])));
    assert_snapshot!("explain_loss_of_lock", shown(&run(&["explain", "loss-of-lock"])));
    assert_snapshot!("explain_gnss_signal_loss", shown(&run(&["explain", "gnss-signal-loss"])));
    assert_snapshot!("explain_unknown_code", shown(&run(&["explain", "nonsense"])));
}

#[test]
fn completions_and_man_page_come_out() {
    assert!(shown(&run(&["completions", "bash"])).contains("complete -F"));
    assert!(shown(&run(&["man"])).contains(".TH ptp-cli"));
}

#[test]
fn errors_name_the_thing_and_the_fix() {
    let dir = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let show = |args: &[&str]| shown(&run(args)).replace(&dir.path().display().to_string(), "DIR");
    let good = fs::read_to_string(crate::top().join("recordings/gnss_loss.jsonl")).unwrap();
    let bad = file("bad.jsonl", &format!("{}\n{}", &good[..200], good));
    let typo = file("typo.toml", "offset-nanos = 50\n");
    let wrong = file("wrong.toml", "state-changes = 0\noffset-ns = 5000\n");
    let gnss_loss = "recordings/gnss_loss.jsonl";

    assert_snapshot!("no_such_file", show(&["diagnose", "no-such-file.jsonl"]));
    assert_snapshot!("a_directory", show(&["diagnose", "deploy/base"]));
    assert_snapshot!("a_bad_line", show(&["diagnose", "--min-severity", "critical", &bad]));
    assert_snapshot!("a_bad_line_strict", show(&["diagnose", "--strict", &bad]));
    assert_snapshot!("an_empty_file", show(&["diagnose", &file("empty.jsonl", "")]));
    assert_snapshot!("a_typo", show(&["diagnose", "--thresholds", &typo, gnss_loss]));
    assert_snapshot!("two_mistakes", show(&["diagnose", "--thresholds", &wrong, gnss_loss]));
    assert_snapshot!(
        "no_such_resource",
        show(&["diagnose", "--alert-resources", "clock", gnss_loss])
    );
    assert_snapshot!("no_such_time", show(&["diagnose", "--since", "last week", gnss_loss]));
}

fn alerts(args: &[&str], env: &[(&str, &str)]) -> Vec<String> {
    let mut command = command(&[&["diagnose", "--format", "json"], args].concat());
    command.envs(env.iter().copied());
    let report: serde_json::Value =
        serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let alerts = report["alerts"].as_array().unwrap();
    alerts.iter().map(|a| format!("{} {}", a["status"], a["root_cause"])).collect()
}

#[test]
fn the_original_services_environment_is_obeyed() {
    let holdover = "recordings/slave_to_listening.jsonl";
    let gnss_loss = "recordings/gnss_loss.jsonl";
    assert_eq!(alerts(&[gnss_loss], &[("ALERT_EVENT_TYPES", "synce")]), Vec::<String>::new());
    assert_eq!(alerts(&[holdover], &[]).len(), 2);
    // 350 ns for half a second is nothing by default, nor with a threshold that it does not reach.
    let freerun = "recordings/bc_offset_freerun.jsonl";
    assert_eq!(alerts(&[freerun], &[("ALERT_OFFSET_THRESHOLD", "50")]), Vec::<String>::new());
    // A clock that counts HOLDOVER as lost is lost earlier, and worse.
    let states = [("ALERT_SYNC_STATES", "FREERUN,FAULTY,HOLDOVER")];
    assert_eq!(
        alerts(&["recordings/dual_nic_initial.jsonl"], &states),
        [r#""opened" "ptp-path-loss""#, r#""escalated" "ptp-path-loss""#]
    );
}

#[test]
fn a_time_range_and_a_node_narrow_the_view() {
    let gnss_loss = "recordings/gnss_loss.jsonl";
    assert_eq!(alerts(&[gnss_loss, "--until", "2026-11-23T06:41:23Z"], &[]).len(), 1);
    assert_snapshot!(
        "nothing_in_range",
        shown(&run(&["diagnose", gnss_loss, "--until", "2026-11-23T06:41:21Z"]))
    );
    assert_eq!(run(&["diagnose", gnss_loss, "--node", "other"]).status.code(), Some(2));
    assert_eq!(alerts(&[gnss_loss, "--node", "gmnode"], &[]).len(), 2);
    let output =
        run(&["diagnose", "--min-severity", "critical", "recordings/slave_to_listening.jsonl"]);
    assert_eq!(output.status.code(), Some(0));
}

/// A build for a first diagnosis leaves out what takes minutes to compile, and says how to get it.
#[cfg(not(any(feature = "journal", feature = "live")))]
#[test]
fn what_is_left_out_says_how_to_get_it() {
    let asked: [&[&str]; 4] = [
        &["record", "http://127.0.0.1:9043"],
        &["replay", "recordings/gnss_loss.jsonl"],
        &["simulate", "path-loss", "--serve"],
        &["diagnose", "--journal", "journal.db"],
    ];
    for args in asked {
        let output = run(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("is left out of this build of ptp-cli"), "{told}");
        assert!(told.contains("--features full"), "{told}");
    }
}
