//! Every recording of the real publisher, diagnosed: the whole report, for people and as JSON.

use std::fmt::Write as _;

use insta::assert_snapshot;

use crate::{run, shown};

macro_rules! recordings {
    ($($name:ident => $file:literal,)*) => {$(
        #[test]
        fn $name() {
            let file = concat!("recordings/", $file);
            assert_snapshot!(stringify!($name), shown(&run(&["diagnose", file])));
            let json = run(&["diagnose", "--format", "json", file]);
            assert_snapshot!(concat!(stringify!($name), "_json"), shown(&json));
        }
    )*};
}

recordings! {
    bc_holdover_recover => "bc_holdover_recover.jsonl",
    bc_holdover_timeout => "bc_holdover_timeout.jsonl",
    bc_holdover_timeout_http => "bc_holdover_timeout.http.jsonl",
    bc_lock => "bc_lock.jsonl",
    bc_offset_freerun => "bc_offset_freerun.jsonl",
    bc_recover => "bc_recover.jsonl",
    clock_class => "clock_class.jsonl",
    create_event => "create_event.jsonl",
    dual_nic_initial => "dual_nic_initial.jsonl",
    gm_lock => "gm_lock.jsonl",
    gnss_loss => "gnss_loss.jsonl",
    gnss_loss_http => "gnss_loss.http.jsonl",
    initial_freerun_after_holdover => "initial_freerun_after_holdover.jsonl",
    initial_locked => "initial_locked.jsonl",
    os_offset_freerun => "os_offset_freerun.jsonl",
    phc2sys_crash => "phc2sys_crash.jsonl",
    ptp4l_crash => "ptp4l_crash.jsonl",
    real_ptp4l_asymmetry => "real-ptp4l-asymmetry-60us.jsonl",
    real_ptp4l_clock_step => "real-ptp4l-clock-step-1ms.jsonl",
    real_ptp4l_clockclass => "real-ptp4l-clockclass.jsonl",
    real_ptp4l_linkdown => "real-ptp4l-linkdown.jsonl",
    real_ptp4l_linkdown_http => "real-ptp4l-linkdown.http.jsonl",
    real_ptp4l_master_stop => "real-ptp4l-master-stop.jsonl",
    real_ptp4l_single_sample_spike => "real-ptp4l-single-sample-spike.jsonl",
    real_ptp4l_startup_lock => "real-ptp4l-startup-lock.jsonl",
    slave_to_listening => "slave_to_listening.jsonl",
    synce => "synce.jsonl",
    tbc_lock => "tbc_lock.jsonl",
    bc_lock_fed => "bc_lock.fed.jsonl",
    gm_lock_fed => "gm_lock.fed.jsonl",
    gnss_loss_fed => "gnss_loss.fed.jsonl",
    real_ptp4l_linkdown_fed => "real-ptp4l-linkdown.fed.log",
}

/// What is no recording of events is refused with a word on what it looks like.
#[test]
fn other_files_are_refused_politely() {
    let files = ["api-exchanges.jsonl", "README.md"];
    let mut all = String::new();
    for file in files {
        let output = run(&["diagnose", &format!("recordings/{file}")]);
        // Bad lines are warned of one by one; here only the verdict matters.
        let stderr = String::from_utf8_lossy(&output.stderr);
        let verdict = stderr.split_once("error:").map_or(&*stderr, |(_, verdict)| verdict);
        write!(all, "exit {}:{verdict}", output.status.code().unwrap_or(-1)).unwrap();
    }
    assert_snapshot!(all);
}

/// The report as JSON, and the exit code.
fn report(args: &[&str]) -> (serde_json::Value, Option<i32>) {
    let output = run(&[&["diagnose", "--format", "json"], args].concat());
    (serde_json::from_slice(&output.stdout).unwrap(), output.status.code())
}

/// Nothing may be wrong with a start, and nothing may be missing from this list.
#[test]
fn normal_starts_raise_no_alert() {
    for file in [
        "bc_lock.jsonl",
        "gm_lock.jsonl",
        "tbc_lock.jsonl",
        "real-ptp4l-startup-lock.jsonl",
        "initial_locked.jsonl",
        "bc_lock.fed.jsonl",
        "gm_lock.fed.jsonl",
    ] {
        let (report, code) = report(&[&format!("recordings/{file}")]);
        assert_eq!(report["alerts"], serde_json::json!([]), "{file}");
        assert_eq!(code, Some(0), "{file}");
    }
}

/// The events and the log they were made of lead to the same cause.
#[test]
fn a_fault_is_one_incident_whoever_tells_of_it() {
    for (file, cause) in [
        ("gnss_loss.jsonl", "gnss-signal-loss"),
        ("gnss_loss.fed.jsonl", "gnss-signal-loss"),
        ("real-ptp4l-linkdown.jsonl", "ptp-path-loss"),
        ("real-ptp4l-linkdown.fed.log", "ptp-path-loss"),
    ] {
        let (report, _) = report(&[&format!("recordings/{file}")]);
        let incidents = report["incidents"].as_array().unwrap();
        assert_eq!(incidents.len(), 1, "{file}");
        assert_eq!(incidents[0]["root_cause"], cause, "{file}");
    }
}
