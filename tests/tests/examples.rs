//! The examples in `examples/` print what they are there to show.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::process::Command;

/// What an example prints; it is built here, as a user does it.
fn printed(example: &str) -> String {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "ptp-examples", "--example", example])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{example}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_stranger_diagnoses_a_file_and_adds_a_detector_and_a_cause() {
    insta::assert_snapshot!(printed("diagnose_file"), @"CRITICAL GNSS signal lost on gmnode (gnss-signal-loss)");
    insta::assert_snapshot!(printed("own_detector"), @"worker-1 sloppy-os-clock: locked, but 73 ns off");
    insta::assert_snapshot!(printed("own_cause"), @"
    WARNING System clock kept loosely on worker-1, confirmed
      Compare the phc2sysOpts with the site's reference profile: oc -n openshift-ptp get ptpconfig -o yaml
    ");
}
