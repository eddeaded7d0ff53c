//! Whose log a file is, as far as its path tells.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ptp_events::NodeName;
use serde::Deserialize;

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
/// pod's, or else the file's up to its first dot.
pub(crate) fn of(path: &Path) -> NodeName {
    let mut names = [after(path, "nodes").map(|(_, node)| node), pod(path), stem(path)];
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
    let described = ["yaml", "json"].iter().find_map(|kind| {
        let mut text = String::new();
        let file = File::open(folder.join(format!("{pod}.{kind}"))).ok()?;
        file.take(MAX_POD_BYTES).read_to_string(&mut text).ok()?;
        // JSON is YAML.
        serde_saphyr::from_str::<Pod>(&text).ok()
    });
    Some(described.map_or(pod, |described| described.spec.node_name))
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
        ] {
            assert_eq!(of(Path::new(path)).as_str(), expect, "{path}");
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
            assert_eq!(of(&folder.join("logs/current.log")).as_str(), expect);
        }
    }
}
