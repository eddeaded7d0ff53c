//! What a topology changes: faults of different timing domains stay apart.

use insta::assert_snapshot;
use ptp_diagnostics::{Settings, Topology};

use crate::fixture::{diagnose, report, tell};

/// Two sites in one cluster.
const SITES: &str = r#"
    node = [
        { name = "gm-a" },
        { name = "a1", follows = ["gm-a"] },
        { name = "a2", follows = ["gm-a"] },
        { name = "a3", follows = ["gm-a"] },
        { name = "a4", follows = ["gm-a"] },
        { name = "gm-b" },
        { name = "b1", follows = ["gm-b"] },
        { name = "b2", follows = ["gm-b"] },
        { name = "b3", follows = ["gm-b"] },
    ]
"#;

fn with_topology(story: &str) -> String {
    let topology = Topology::from_toml(SITES).unwrap();
    tell(&report(story, Settings { topology, ..Settings::default() }))
}

/// Incidents and alerts without their findings.
fn in_short(told: &str) -> String {
    told.lines().filter(|line| !line.starts_with("  ")).collect::<Vec<_>>().join("\n")
}

const ALL_LOCKED: &str = "
    0   gm-a gnss SYNCHRONIZED 2 fix=3
    0   gm-a lock LOCKED 2
    0   gm-b gnss SYNCHRONIZED 1 fix=3
    0   gm-b lock LOCKED 1
    0   a1 lock LOCKED 3
    0   a2 lock LOCKED 4
    0   a3 lock LOCKED 5
    0   a4 lock LOCKED 5
    0   b1 lock LOCKED 6
    0   b2 lock LOCKED 7
    0   b3 lock LOCKED 8
";

/// Site a has no satellites, and a minute later site b loses its switch: half of all followers.
#[test]
fn a_switch_at_one_site_is_not_the_satellites_of_another() {
    let story = format!(
        "{ALL_LOCKED}
        100   gm-a gnss FAILURE-NOFIX fix=0
        100.2 gm-a lock HOLDOVER 2
        160   a4 lock HOLDOVER 4
        160   b1 lock HOLDOVER 6
        161   b2 lock HOLDOVER 7
        161   b3 lock HOLDOVER 8
        240   end"
    );
    assert_snapshot!(in_short(&diagnose(&story)), @"
    WARNING gnss-signal-loss (confirmed), firing: since 100, known at 103; from gm-a, affects a4 b1 b2 b3 gm-a
    alert at 103: opened WARNING GNSS signal lost on gm-a
    ");
    assert_snapshot!(in_short(&with_topology(&story)), @"
    WARNING gnss-signal-loss (confirmed), firing: since 100, known at 103; from gm-a, affects gm-a
    WARNING ptp-path-loss (confirmed), firing: since 160, known at 163; from a4, affects a4
    WARNING upstream-loss (confirmed), firing: since 160, known at 163; from b1 b2 b3, affects b1 b2 b3
    alert at 103: opened WARNING GNSS signal lost on gm-a
    alert at 163: opened WARNING PTP path lost on a4
    alert at 163: opened WARNING Grandmaster or shared path lost on b1, b2 and b3
    ");
}

/// All of site b: three of seven followers, which is less than half of the cluster.
#[test]
fn a_whole_site_is_lost_together() {
    let story = format!(
        "{ALL_LOCKED}
        100   b1 lock HOLDOVER 6
        104   b2 lock HOLDOVER 7
        108   b3 lock HOLDOVER 8
        180   end"
    );
    assert_snapshot!(in_short(&diagnose(&story)), @"
    WARNING ptp-path-loss (confirmed), firing: since 100, known at 103; from b1, affects b1
    WARNING ptp-path-loss (confirmed), firing: since 104, known at 107; from b2, affects b2
    WARNING ptp-path-loss (confirmed), firing: since 108, known at 111; from b3, affects b3
    alert at 103: opened WARNING PTP path lost on b1
    alert at 107: opened WARNING PTP path lost on b2
    alert at 111: opened WARNING PTP path lost on b3
    ");
    assert_snapshot!(in_short(&with_topology(&story)), @"
    WARNING upstream-loss (confirmed), firing: since 100, known at 103; from b1 b2 b3, affects b1 b2 b3
    WARNING ptp-path-loss (confirmed), resolved: since 104, known at 107, over at 111; from b2, affects b2
    alert at 103: opened WARNING PTP path lost on b1
    alert at 107: opened WARNING PTP path lost on b2
    alert at 111: escalated WARNING Grandmaster or shared path lost on b1, b2 and b3
    alert at 111: resolved WARNING Part of a wider incident: PTP path lost on b2
    ");
}

/// A class that got worse at site b is not the grandmaster's of site a.
#[test]
fn a_class_is_explained_by_a_grandmaster_of_its_own_domain() {
    let story = format!(
        "{ALL_LOCKED}
        1     a1 class 6
        1     b1 class 6
        100   gm-a gnss FAILURE-NOFIX fix=0
        100.2 gm-a lock HOLDOVER 2
        100.5 a1 class 7
        130   b1 class 7
        200   end"
    );
    assert_snapshot!(in_short(&diagnose(&story)), @"
    WARNING gnss-signal-loss (confirmed), firing: since 100, known at 103; from gm-a, affects a1 b1 gm-a
    alert at 103: opened WARNING GNSS signal lost on gm-a
    ");
    assert_snapshot!(in_short(&with_topology(&story)), @"
    WARNING gnss-signal-loss (confirmed), firing: since 100, known at 103; from gm-a, affects a1 gm-a
    WARNING grandmaster-degraded (confirmed), firing: since 130, known at 133; from b1, affects b1
    alert at 103: opened WARNING GNSS signal lost on gm-a
    alert at 133: opened WARNING Upstream grandmaster degraded on b1
    ");
}

/// Nodes that the file does not name share a domain of their own.
#[test]
fn strangers_share_a_domain() {
    let story = format!(
        "{ALL_LOCKED}
        0     x1 lock LOCKED 6
        0     x2 lock LOCKED 6
        0     x3 lock LOCKED 6
        100   x1 lock HOLDOVER 6
        101   x2 lock HOLDOVER 7
        101   x3 lock HOLDOVER 8
        180   end"
    );
    assert_snapshot!(in_short(&with_topology(&story)), @"
    WARNING upstream-loss (confirmed), firing: since 100, known at 103; from x1 x2 x3, affects x1 x2 x3
    alert at 103: opened WARNING Grandmaster or shared path lost on x1, x2 and x3
    ");
}

#[test]
fn the_example_in_the_docs_is_one_domain() {
    let page = include_str!("../../../docs/topology.md");
    let example = page.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    assert_eq!(Topology::from_toml(example).unwrap().domains(), 1);
}
