//! Timing domains from a file.

use std::fmt::Write as _;

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::{run, shown};

fn write(dir: &TempDir, name: &str, text: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A lock-state event as cloud-event-proxy sends it, at this second of a minute.
fn lock(node: &str, second: u32, state: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{node}-{second}","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:{second:02}Z","data":{{"version":"1.0","values":[{{"ResourceAddress":"/cluster/node/{node}/ens1fx/master","data_type":"notification","value_type":"enumeration","value":"{state}"}},{{"ResourceAddress":"/cluster/node/{node}/ens1fx/master","data_type":"metric","value_type":"decimal64.3","value":"4"}}]}}}}"#
    )
}

/// Two sites; all three followers of one lose their path, within seconds. Of three it is more than
/// half, of nine it is not.
fn recording() -> String {
    let nodes = ["a1", "a2", "a3", "a4", "a5", "a6", "b1", "b2", "b3"];
    let mut lines: Vec<_> = nodes.iter().map(|node| lock(node, 0, "LOCKED")).collect();
    let lost = [("b1", 20), ("b2", 24), ("b3", 28)];
    lines.extend(lost.map(|(node, second)| lock(node, second, "HOLDOVER")));
    lines.join("\n")
}

fn causes(output: &std::process::Output) -> Vec<String> {
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let incidents = report["incidents"].as_array().unwrap();
    let own = incidents.iter().filter(|i| i["merged_into"].is_null());
    own.map(|i| format!("{} {}", i["root_cause"], i["origin_nodes"])).collect()
}

#[test]
fn a_topology_tells_one_site_from_another() {
    let dir = TempDir::new().unwrap();
    let recording = write(&dir, "sites.jsonl", &recording());
    let mut sites = String::new();
    for (site, followers) in [("a", 6), ("b", 3)] {
        writeln!(sites, "[[node]]\nname = \"gm-{site}\"").unwrap();
        for n in 1..=followers {
            writeln!(sites, "[[node]]\nname = \"{site}{n}\"\nfollows = [\"gm-{site}\"]").unwrap();
        }
    }
    let sites = write(&dir, "sites.toml", &sites);
    let inferred = run(&["diagnose", "--format", "json", &recording]);
    let given = run(&["diagnose", "--format", "json", "--topology", &sites, &recording]);
    assert_snapshot!(causes(&inferred).join("\n"), @r#"
    "ptp-path-loss" ["b1"]
    "ptp-path-loss" ["b2"]
    "ptp-path-loss" ["b3"]
    "#);
    assert_snapshot!(causes(&given).join("\n"), @r#""upstream-loss" ["b1","b2","b3"]"#);
}

#[test]
fn a_topology_that_cannot_be_is_refused_with_the_place() {
    let dir = TempDir::new().unwrap();
    let recording = write(&dir, "sites.jsonl", &recording());
    let refused = |text: &str| {
        let path = write(&dir, "wrong.toml", text);
        let output = run(&["diagnose", "--topology", &path, &recording]);
        shown(&output).replace(dir.path().to_str().unwrap(), "…")
    };
    let nodes = "[[node]]\nname = \"a\"\nfollows = [\"b\"]\n[[node]]\nname = \"b\"\n";
    assert_snapshot!(refused(&format!("{nodes}follows = [\"a\", \"c\"]\n")), @"
    exit code 2
    --- stdout
    --- stderr
    error: cannot use the topology in `…/wrong.toml`
      caused by: the topology cannot be: node 2 (`b`): it follows `c`, which is not among the nodes; node 1 (`a`): it follows itself through `b`
      hint: docs/topology.md shows the format; `ptp-cli simulate --write-topology` writes one
    ");
    assert_snapshot!(refused(&format!("{nodes}parent = \"a\"\n")), @r#"
    exit code 2
    --- stdout
    --- stderr
    error: cannot use the topology in `…/wrong.toml`
      caused by: cannot understand the topology
      caused by: TOML parse error at line 6, column 1
      |
    6 | parent = "a"
      | ^^^^^^
    unknown field `parent`, expected one of `name`, `follows`, `holdover`

      hint: docs/topology.md shows the format; `ptp-cli simulate --write-topology` writes one
    "#);
}

#[test]
fn what_is_simulated_has_a_topology() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let (recording, topology) = (path("r.jsonl"), path("t.toml"));
    let kind = "boundary-path-loss";
    let simulated = run(&["simulate", kind, "-o", &recording, "--write-topology", &topology]);
    assert!(simulated.status.success(), "{}", shown(&simulated));
    let written = std::fs::read_to_string(&topology).unwrap();
    let grandmaster = "[[node]]\nname = \"gm-0\"\nholdover = \"4h\"\n\n[[node]]\n";
    assert!(written.starts_with(grandmaster), "{written}");
    let boundary = "name = \"bc-0\"\nfollows = [\"gm-0\"]\nholdover = \"4h\"\n";
    assert!(written.contains(boundary), "{written}");
    let diagnosed = run(&["diagnose", "--format", "json", "--topology", &topology, &recording]);
    assert_eq!(causes(&diagnosed), ["\"ptp-path-loss\" [\"bc-0\"]"]);
}
