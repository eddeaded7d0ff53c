//! `ptp-cli simulate`, from the outside.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the answer")]

use std::fs;

use assert_cmd::Command;

fn simulate(args: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = Command::cargo_bin("ptp-cli").unwrap();
    command.arg("simulate").args(args).assert()
}

fn stderr(assert: &assert_cmd::assert::Assert) -> String {
    String::from_utf8(assert.get_output().stderr.clone()).unwrap()
}

#[test]
fn a_kind_writes_a_recording_and_its_label() {
    let folder = tempfile::tempdir().unwrap();
    let recording = folder.path().join("loss.jsonl");
    let path = recording.to_str().unwrap();
    simulate(&["path-loss", "--seed", "7", "-o", path]).code(0);
    let label = fs::read_to_string(folder.path().join("loss.label.json")).unwrap();
    assert!(label.contains("\"root_cause\": \"ptp-path-loss\""), "{label}");
    let written = fs::read(&recording).unwrap();
    let printed = simulate(&["path-loss", "--seed", "7"]).code(0);
    assert_eq!(printed.get_output().stdout, written);
}

#[test]
fn the_list_names_every_kind() {
    let listed = simulate(&["--list"]).code(0).get_output().stdout.clone();
    let lines = String::from_utf8(listed).unwrap().lines().count();
    assert_eq!(lines, ptp_sim::KINDS.len());
}

#[test]
fn an_unknown_kind_is_answered_with_a_hint() {
    let refused = simulate(&["gnss-outage"]).code(2);
    insta::assert_snapshot!(stderr(&refused), @"
    error: there is no kind of scenario `gnss-outage`
      hint: did you mean `gnss-outage-short`? `ptp-cli simulate --list` names all
    ");
}

#[test]
fn a_scenario_that_cannot_be_is_refused_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("mine.toml");
    fs::write(&scenario, "length = \"1h\"\n[[node]]\nname = \"a\"\nrole = \"follower\"\n").unwrap();
    let refused = simulate(&["--scenario", scenario.to_str().unwrap()]).code(2);
    let said = stderr(&refused).replace(folder.path().to_str().unwrap(), "…");
    insta::assert_snapshot!(said, @"
    error: cannot play the scenario in `…/mine.toml`
      caused by: the nodes are not a network
      caused by: node `a` needs a `parent`
      hint: `ptp-cli simulate --help` shows a scenario in TOML
    ");
}
