//! Folders as must-gather writes them, made of the recordings.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use tempfile::TempDir;

use crate::{run, shown, top};

/// A must-gather of two nodes.
struct MustGather {
    dir: TempDir,
}

impl MustGather {
    fn new() -> Self {
        Self { dir: TempDir::new().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.dir.path().join("must-gather.local.1")
    }

    fn pod(&self, pod: &str) -> PathBuf {
        self.root().join("quay-io-image/namespaces/openshift-ptp/pods").join(pod)
    }

    fn log(&self, pod: &str, container: &str, name: &str, bytes: &[u8]) {
        let path = self.pod(pod).join(container).join(container).join("logs").join(name);
        write(&path, bytes);
    }

    /// What a run over it shows, without the place it lies in.
    fn diagnose(&self, args: &[&str]) -> String {
        let root = self.root().display().to_string();
        shown(&run(&[&["diagnose", &root], args].concat())).replace(&root, "ROOT")
    }
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A recorded daemon log as the container runtime writes it: each line after its time.
fn pod_log(recording: &str) -> Vec<u8> {
    let text = fs::read_to_string(top().join("recordings").join(recording)).unwrap();
    let line = |line: &str| {
        let fed: serde_json::Value = serde_json::from_str(line).unwrap();
        let time = ptp_events::Received::from_nanos(fed["t_ns"].as_i64().unwrap());
        format!("{time} {}", fed["line"].as_str().unwrap())
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n").into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_must_gather_is_read_as_one() {
    let gather = MustGather::new();
    let daemon = "linuxptp-daemon-container";
    // The grandmaster's start is in the log of the container before this one.
    let yaml = b"kind: Pod\nmetadata:\n  name: linuxptp-daemon-aaaaa\nspec:\n  nodeName: gm-0\n";
    write(&gather.pod("linuxptp-daemon-aaaaa").join("linuxptp-daemon-aaaaa.yaml"), yaml);
    gather.log(
        "linuxptp-daemon-aaaaa",
        daemon,
        "previous.log.gz",
        &gzip(&pod_log("gm_lock.fed.jsonl")),
    );
    gather.log("linuxptp-daemon-aaaaa", daemon, "current.log", &pod_log("gnss_loss.fed.jsonl"));
    // A follower is known by its pod only, and by what its publisher said.
    gather.log("linuxptp-daemon-bbbbb", daemon, "current.log", &pod_log("bc_lock.fed.jsonl"));
    let published = fs::read(top().join("recordings/bc_lock.jsonl")).unwrap();
    gather.log("linuxptp-daemon-bbbbb", "cloud-event-proxy", "current.log", &published);
    gather.log("linuxptp-daemon-bbbbb", "kube-rbac-proxy", "current.log", b"I1123 hello");
    write(&gather.root().join("version"), b"openshift/must-gather");
    assert_snapshot!("must_gather", gather.diagnose(&[]));
}

#[test]
fn a_folder_without_logs_is_refused_with_a_word_on_why() {
    let gather = MustGather::new();
    write(&gather.root().join("version"), b"openshift/must-gather");
    assert_snapshot!("must_gather_without_logs", gather.diagnose(&[]));
}

#[cfg(unix)]
#[test]
fn symbolic_links_are_not_followed() {
    let gather = MustGather::new();
    let log = pod_log("bc_lock.fed.jsonl");
    gather.log("linuxptp-daemon-a", "linuxptp-daemon-container", "current.log", &log);
    // A circle, which would never end.
    std::os::unix::fs::symlink(gather.root(), gather.pod("linuxptp-daemon-a").join("again"))
        .unwrap();
    let shown = gather.diagnose(&["--node-name", "worker-7"]);
    assert!(shown.contains("skipped 1 other files in `ROOT`"), "{shown}");
    assert!(shown.contains("current.log, of worker-7"), "{shown}");
}

#[test]
fn a_log_without_a_wall_clock_is_diagnosed_and_warned_of() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("ptp4l.log");
    let text = fs::read_to_string(top().join("recordings/real-ptp4l-linkdown.fed.log")).unwrap();
    let monotonic = text.lines().filter_map(|line| line.split_once(' ')).map(|(_, line)| line);
    let monotonic: Vec<_> = monotonic.filter(|line| !line.contains("CLOCK_CLASS_CHANGE")).collect();
    fs::write(&path, monotonic.join("\n")).unwrap();
    let path = path.display().to_string();
    let output = run(&["diagnose", "--node-name", "worker-7", &path]);
    let first: Vec<_> = shown(&output).replace(&path, "FILE").lines().map(str::to_owned).collect();
    let warning = first.iter().skip_while(|line| *line != "--- stderr");
    let head = first.iter().take(8).chain(warning).cloned().collect::<Vec<_>>().join("\n");
    assert_snapshot!("no_wall_clock", head);
}
