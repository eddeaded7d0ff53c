//! Whose log a file is, as far as its path tells.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ptp_events::NodeName;
use ptp_events::deployment::{DAEMON_CONTAINER, PROXY_CONTAINER};
use serde::Deserialize;

use crate::parts;

/// Folders that are called after what is in them.
const CONTAINERS: [&str; 6] = [DAEMON_CONTAINER, PROXY_CONTAINER, "logs", "rotated", "log", "var"];

/// How much of a pod's description is read, in bytes. The daemon's has some 20 KiB.
const MAX_POD_BYTES: u64 = 1 << 20;

/// What a pod's description says, as far as we want to know.
#[derive(Deserialize)]
struct Pod {
    spec: PodSpec,
}

#[derive(Deserialize)]
struct PodSpec {
    #[serde(rename = "nodeName")]
    node_name: String,
}

/// The best name there is: from `nodes/NODE/`, from the description of the pod in `pods/POD/`, the
/// pod's, the host's of a sosreport, or else the file's up to its first dot; its folder's, where many
/// nodes' files are called like that.
///
/// `shown` is what people know the file by, and `path` where it lies: an entry of an archive lies elsewhere.
/// The folder of a file that somebody named, and that was not `found`, is anything.
pub(crate) fn of(path: &Path, shown: &Path, found: bool) -> NodeName {
    let named = stem(shown).filter(|stem| !is_common(stem));
    let node = after(shown, "nodes").map(|(_, node)| node);
    let mut names =
        [node, host(path), pod(path), named, folder(shown).filter(|_| found), stem(shown)];
    let name = names.iter_mut().flatten().find_map(|name| NodeName::new(name).ok());
    name.unwrap_or_else(unknown)
}

/// Standard input, or a file whose name is none.
fn unknown() -> NodeName {
    NodeName::new("unknown-node").expect("it has no control character and is short")
}

/// The last folder with this name, up to its child, and the child's name.
fn after(path: &Path, folder: &str) -> Option<(PathBuf, String)> {
    let parts: Vec<_> = path.iter().collect();
    // The last part is the file itself.
    let (_, folders) = parts.split_last()?;
    let at = folders.iter().rposition(|part| *part == folder)?;
    let child = folders.get(at + 1)?.to_str()?.to_owned();
    Some((parts[..=at + 1].iter().collect(), child))
}

fn pod(path: &Path) -> Option<String> {
    let (folder, pod) = after(path, "pods")?;
    if let Some(pod) = parts::pod_of(&pod) {
        return Some(pod.to_string());
    }
    let described = ["yaml", "json"].iter().find_map(|kind| {
        let mut text = String::new();
        let file = File::open(folder.join(format!("{pod}.{kind}"))).ok()?;
        file.take(MAX_POD_BYTES).read_to_string(&mut text).ok()?;
        // JSON is YAML.
        serde_saphyr::from_str::<Pod>(&text).ok()
    });
    Some(described.map_or(pod, |described| described.spec.node_name))
}

/// The host of a sosreport, which holds a file with its name.
fn host(path: &Path) -> Option<String> {
    let report = path.ancestors().skip(1).find(|folder| folder.join("sos_commands").is_dir())?;
    let files = ["hostname", "etc/hostname", "sos_commands/host/hostname"];
    files.iter().find_map(|file| {
        let mut text = String::new();
        let file = File::open(report.join(file)).ok()?;
        file.take(256).read_to_string(&mut text).ok()?;
        Some(text.trim().to_owned()).filter(|name| !name.is_empty())
    })
}

/// Names of files that say what is in them, and not of which node.
fn is_common(stem: &str) -> bool {
    const COMMON: [&str; 15] = [
        "messages",
        "syslog",
        "daemon",
        "user",
        "journal",
        "journalctl",
        "current",
        "previous",
        "log",
        "logs",
        "ptp",
        "ptp4l",
        "phc2sys",
        "ts2phc",
        "linuxptp",
    ];
    let base = stem.split(['-', '_']).next().unwrap_or(stem);
    stem.bytes().all(|b| b.is_ascii_digit())
        || COMMON.contains(&stem)
        || stem == "linuxptp-daemon"
        || stem == DAEMON_CONTAINER
        || (COMMON.contains(&base) && stem[base.len()..].bytes().all(|b| !b.is_ascii_alphabetic()))
}

/// The folder it lies in, where that is called after something else than what is in it.
fn folder(path: &Path) -> Option<String> {
    let names = path.parent()?.iter().rev().filter_map(|name| name.to_str());
    let mut names = names.filter(|name| *name != "." && *name != "/");
    let name = names.find(|name| !CONTAINERS.contains(name) && !is_common(name))?;
    // An archive's own name.
    let name = [".tar", ".tgz", ".zip"]
        .iter()
        .find_map(|end| name.split_once(end))
        .map_or(name, |(name, _)| name);
    Some(parts::pod_of(name).map_or_else(|| name.to_owned(), |pod| pod.to_string()))
}

fn stem(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let stem = name.split('.').next()?;
    (name != "-").then(|| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    #[test]
    fn a_path_tells_the_node() {
        for (path, expect) in [
            ("recordings/bc_lock.fed.jsonl", "bc_lock"),
            ("gather/nodes/worker-3/ptp.log", "worker-3"),
            ("nodes", "nodes"),
            ("a/pods/linuxptp-daemon-x/c/c/logs/current.log", "linuxptp-daemon-x"),
            ("-", "unknown-node"),
            (".hidden", "unknown-node"),
            ("worker-1/messages", "worker-1"),
            ("worker-1/linuxptp-daemon-container/0.log", "worker-1"),
            (
                "p/openshift-ptp_linuxptp-daemon-x_8c1e3b52/linuxptp-daemon-container/0.log",
                "linuxptp-daemon-x",
            ),
            ("worker-2.tar.gz/ptp.log", "worker-2"),
        ] {
            assert_eq!(of(Path::new(path), Path::new(path), true).as_str(), expect, "{path}");
        }
    }

    #[test]
    fn a_pods_description_tells_it_best() {
        let dir = TempDir::new().unwrap();
        for (pod, file, text, expect) in [
            ("a", "a.yaml", "kind: Pod\nspec:\n  nodeName: worker-1\n  x: [1]\n", "worker-1"),
            ("b", "b.json", r#"{"kind":"Pod","spec":{"nodeName":"worker-2"}}"#, "worker-2"),
            ("c", "c.yaml", "kind: [", "c"),
        ] {
            let folder = dir.path().join("pods").join(pod);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(file), text).unwrap();
            let log = folder.join("logs/current.log");
            assert_eq!(of(&log, &log, true).as_str(), expect);
        }
    }
}
