//! On which node each pod runs, as `oc get pods` or a must-gather tells it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use ptp_events::NodeName;
use serde::Deserialize;

/// The longest list that is read, in bytes: a namespace's pods have some 20 KiB each.
const MAX_BYTES: u64 = 64 << 20;

/// Why a list of pods is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PodsError {
    #[error("cannot read the list of pods in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("`{}` lists no pod with its node", path.display())]
    None { path: PathBuf },
}

impl PodsError {
    pub(crate) fn hint() -> String {
        "it is what `oc -n openshift-ptp get pods -o json` prints; YAML, and the table of `-o wide`, do as \
         well"
            .to_owned()
    }
}

/// The node of each pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pods(BTreeMap<NodeName, NodeName>);

impl Pods {
    pub(crate) fn load(path: &Path) -> Result<Self, PodsError> {
        let mut text = String::new();
        let file = File::open(path).and_then(|file| file.take(MAX_BYTES).read_to_string(&mut text));
        file.map_err(|source| PodsError::Read { path: path.to_owned(), source })?;
        let pods = Self::parse(&text);
        if pods.0.is_empty() { Err(PodsError::None { path: path.to_owned() }) } else { Ok(pods) }
    }

    /// Whether a file is called as people and must-gathers call such a list.
    pub(crate) fn are_listed_in(path: &Path) -> bool {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| ["pods.json", "pods.yaml", "pods.yml", "pods.txt"].contains(&name))
    }

    /// The node that evidence said to be of `name` is of.
    pub(crate) fn node_of(&self, name: &NodeName) -> Option<&NodeName> {
        self.0.get(name)
    }

    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn parse(text: &str) -> Self {
        let named =
            |name: &str, node: &str| Some((NodeName::new(name).ok()?, NodeName::new(node).ok()?));
        // JSON is YAML.
        if let Ok(list) = serde_saphyr::from_str::<List>(text) {
            let pods = list.items.iter().filter_map(|pod| {
                named(pod.metadata.name.as_deref()?, pod.spec.node_name.as_deref()?)
            });
            return Self(pods.collect());
        }
        let mut lines = text.lines();
        let Some(head) = lines.next() else { return Self::default() };
        let column = |name| head.split_whitespace().position(|word| word == name);
        let (Some(pod), Some(node)) = (column("NAME"), column("NODE")) else {
            return Self::default();
        };
        let pods = lines.filter_map(|line| {
            // `5 (3d ago)` in the column of restarts is one cell.
            let words: Vec<_> = cells(line);
            named(words.get(pod)?, words.get(node)?)
        });
        Self(pods.collect())
    }
}

/// The cells of a row, in which what is in brackets belongs to the word before.
fn cells(line: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut cells = Vec::new();
    for word in line.split_whitespace() {
        let opens = word.starts_with('(');
        if depth == 0 && !opens {
            cells.push(word);
        }
        depth += usize::from(opens);
        depth -= usize::from(depth > 0 && word.ends_with(')'));
    }
    cells
}

#[derive(Deserialize)]
struct List {
    items: Vec<Pod>,
}

#[derive(Deserialize)]
struct Pod {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Default, Deserialize)]
struct Metadata {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
struct Spec {
    #[serde(rename = "nodeName")]
    node_name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_tells_the_node() {
        let json = r#"{"kind":"List","items":[{"metadata":{"name":"linuxptp-daemon-a"},"spec":{"nodeName":"worker-1"}},
            {"metadata":{"name":"pending"},"spec":{}}]}"#;
        let yaml = "apiVersion: v1\nitems:\n- metadata:\n    name: linuxptp-daemon-a\n  spec:\n    nodeName: worker-1\n";
        let wide = "NAME                READY   STATUS    RESTARTS     AGE   IP           NODE       NOMINATED NODE\n\
            linuxptp-daemon-a   3/3     Running   5 (3d ago)   9d    10.0.0.1     worker-1   <none>\n";
        for text in [json, yaml, wide] {
            let pods = Pods::parse(text);
            let node = pods.node_of(&NodeName::new("linuxptp-daemon-a").unwrap());
            assert_eq!(node.map(NodeName::as_str), Some("worker-1"), "{text}");
        }
        for text in ["", "hello", "NAME AGE\nx 1\n", "{}"] {
            assert!(Pods::parse(text).0.is_empty(), "{text}");
        }
    }
}
