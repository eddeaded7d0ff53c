//! What a forecast rests on where nothing measures the clock.

use insta::assert_snapshot;
use ptp_diagnostics::{Settings, Topology};

use crate::fixture::{at, report};

/// What is forecast for `w1`, in seconds from its loss: model, median and bounds.
fn forecast(before: &str, topology: &str) -> String {
    let topology = match topology {
        "" => Topology::default(),
        text => Topology::from_toml(text).unwrap(),
    };
    let story = format!("{before}\n 100 w1 lock HOLDOVER 300\n 110 end");
    let report = report(&story, Settings { topology, ..Settings::default() });
    let forecast = report.incidents[0].forecast.as_ref().unwrap();
    let seconds = |time: ptp_events::Received| time.since(at(100.0)).as_secs();
    let [low, high] = [forecast.earliest, forecast.latest].map(|time| seconds(time.unwrap()));
    format!("{}: {} s, {low} to {high} s", forecast.model, seconds(forecast.at))
}

#[test]
fn what_is_declared_goes_before_what_is_usual() {
    let follower = "0 w1 lock LOCKED 300";
    let grandmaster = "0 w1 gnss SYNCHRONIZED 3\n 0 w1 lock LOCKED 300";
    // A fifth of the 1500 ns are used up already.
    assert_snapshot!(forecast(follower, ""), @"default: 960 s, 172 to 26880 s");
    assert_snapshot!(forecast(grandmaster, ""), @"default: 11520 s, 8064 to 27648 s");
    let two_hours = "[[node]]\nname = \"w1\"\nholdover = \"2h\"";
    assert_snapshot!(forecast(follower, two_hours), @"declared: 5760 s, 4032 to 13824 s");
    assert_snapshot!(forecast(grandmaster, two_hours), @"declared: 5760 s, 4032 to 13824 s");
    assert_snapshot!(forecast(follower, "[[node]]\nname = \"w1\""), @"default: 960 s, 172 to 26880 s");
}
