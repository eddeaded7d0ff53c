//! Metrics, in every form in which people have them: the report must be the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use ptp_sim::{Plan, Scenario};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::run;

/// One number: its series without braces, its name, its labels, its value, and when in ms since 1970.
struct Sample {
    name: String,
    labels: Vec<(String, String)>,
    value: String,
    at_ms: i64,
}

/// A grandmaster and three followers, one of which loses its link for five minutes.
fn samples() -> Vec<Sample> {
    let follower =
        |n| format!("[[node]]\nname = \"worker-{n}\"\nrole = \"follower\"\nparent = \"gm-0\"\n");
    let followers: String = (0..3).map(follower).collect();
    let plan = Plan::from_toml(&format!(
        "length = \"25m\"\n[[node]]\nname = \"gm-0\"\nrole = \"grandmaster\"\n{followers}\
         [[fault]]\nkind = \"path-loss\"\nnodes = [\"worker-1\"]\nstart = \"10m\"\nlength = \"5m\"\n"
    ))
    .unwrap();
    let mut samples = Vec::new();
    Scenario::play_metrics(&plan, 7, &mut |scrape| {
        for line in scrape.text.lines() {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap();
            let labels = labels.trim_end_matches('}').split(',').map(|label| {
                let (key, value) = label.split_once('=').unwrap();
                (key.to_owned(), value.trim_matches('"').to_owned())
            });
            samples.push(Sample {
                name: name.to_owned(),
                labels: labels.collect(),
                value: value.to_owned(),
                at_ms: scrape.at.as_nanos() / 1_000_000,
            });
        }
    })
    .unwrap();
    samples
}

impl Sample {
    fn labels(&self) -> String {
        let labels = self.labels.iter().map(|(key, value)| format!("{key}=\"{value}\""));
        labels.collect::<Vec<_>>().join(", ")
    }

    fn metric(&self) -> Value {
        let named = std::iter::once(("__name__".to_owned(), self.name.clone()));
        named.chain(self.labels.clone()).map(|(key, value)| (key, json!(value))).collect()
    }
}

/// The samples of each series, in the order of time.
fn by_series(samples: &[Sample]) -> BTreeMap<String, Vec<&Sample>> {
    let mut series: BTreeMap<String, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        series.entry(format!("{}{{{}}}", sample.name, sample.labels())).or_default().push(sample);
    }
    series
}

/// As Prometheus answers `query_range`.
fn answer<'a>(series: impl Iterator<Item = &'a Vec<&'a Sample>>) -> String {
    let result = series.map(|samples| {
        let values = samples.iter().map(|s| json!([s.at_ms as f64 / 1e3, s.value]));
        json!({"metric": samples[0].metric(), "values": values.collect::<Vec<_>>()})
    });
    json!({"status": "success", "data": {
        "resultType": "matrix", "result": result.collect::<Vec<_>>()}})
    .to_string()
}

fn report(paths: &[&Path]) -> Value {
    let paths: Vec<_> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let output = run(&[&["diagnose", "--format", "json"], &paths[..]].concat());
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["input"]["files"] = Value::Null;
    report
}

#[test]
fn metrics_tell_the_same_in_every_form() {
    let samples = samples();
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let series = by_series(&samples);
    let api = write("range.json", &answer(series.values()));
    let expect = report(&[&api]);
    assert_eq!(expect["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(expect["incidents"][0]["root_cause"], "ptp-path-loss");
    assert_eq!(expect["incidents"][0]["origin_nodes"], json!(["worker-1"]));

    let mut exposition = "# TYPE openshift_ptp_clock_state gauge\n".to_owned();
    let mut tsdb = String::new();
    for s in &samples {
        let (name, labels, value, at) = (&s.name, s.labels(), &s.value, s.at_ms);
        writeln!(exposition, "{name}{{{labels}}} {value} {at}").unwrap();
        writeln!(tsdb, "{{__name__=\"{name}\", {labels}}} {value} {at}").unwrap();
    }
    let (mut promtool, mut export) = (String::new(), String::new());
    for (name, samples) in &series {
        writeln!(promtool, "{name} =>").unwrap();
        for s in samples {
            writeln!(promtool, "{} @[{}]", s.value, s.at_ms as f64 / 1e3).unwrap();
        }
        let numbers: Vec<f64> = samples.iter().map(|s| s.value.parse().unwrap()).collect();
        let times: Vec<_> = samples.iter().map(|s| s.at_ms).collect();
        let line = json!({"metric": samples[0].metric(), "values": numbers, "timestamps": times});
        writeln!(export, "{line}").unwrap();
    }
    for (form, text) in [
        ("text with times", &exposition),
        ("promtool tsdb dump", &tsdb),
        ("promtool query range", &promtool),
        ("VictoriaMetrics export", &export),
    ] {
        let path = write(&form.replace(' ', "-"), text);
        assert_eq!(report(&[&path]), expect, "{form}");
    }

    // A query for each metric, as one asks.
    let mut names: Vec<_> = samples.iter().map(|s| s.name.clone()).collect();
    names.sort();
    names.dedup();
    let parts: Vec<_> = names
        .iter()
        .map(|name| {
            let of_it = series.values().filter(|samples| samples[0].name == *name);
            write(&format!("{name}.json"), &answer(of_it))
        })
        .collect();
    let parts: Vec<_> = parts.iter().map(AsRef::as_ref).collect();
    assert_eq!(report(&parts), expect, "a file for each metric");
}

/// What real daemons answered: a moment tells that it is so, and not why.
#[test]
fn a_single_scrape_is_no_all_clear_while_a_clock_is_not_locked() {
    let mut told = String::new();
    for file in ["metrics-gm.prom.txt", "metrics-bc.prom.txt"] {
        let output = run(&["diagnose", &format!("recordings/{file}")]);
        let stdout = String::from_utf8_lossy(&output.stdout);
        // The second line tells when the file was written.
        let lines = stdout.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, line)| line);
        let lines: Vec<_> = lines.collect();
        let stderr = String::from_utf8_lossy(&output.stderr);
        writeln!(told, "exit {}\n{}\n{stderr}", output.status.code().unwrap(), lines.join("\n"))
            .unwrap();
    }
    assert_snapshot!(told, @"
    exit 2
    No incidents.

    Nodes
      node2                              t-gm     FREERUN   state not known
    node2 was FREERUN at the end, and there is too little to say why: this is no all-clear

    exit 0
    No incidents.

    Nodes
      node1                              unknown  LOCKED    state not known
    ");
}

#[test]
fn metrics_of_others_are_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("node.prom");
    fs::write(
        &path,
        "# HELP node_load1 1m load average.\n# TYPE node_load1 gauge\nnode_load1 0.2\n",
    )
    .unwrap();
    let output = run(&["diagnose", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("these are metrics, and none of linuxptp-daemon's"), "{stderr}");
}
