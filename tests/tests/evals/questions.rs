//! The questions, as `evals/questions.toml` has them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// All of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Evals {
    /// The nights, by name.
    pub night: BTreeMap<String, About>,
    pub question: Vec<Question>,
}

/// How a night is shown.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct About {
    /// How long after its beginning the questions are asked, in minutes.
    pub asked_after_min: u64,
    /// Whether the agent is told who follows whom.
    #[serde(default)]
    pub topology: bool,
    /// Whether there is a cluster to ask, which says that all is well.
    #[serde(default)]
    pub cluster: bool,
}

/// A question.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Question {
    pub night: String,
    pub asks: String,
    /// What a client without a model calls: tool and arguments; `$1` is the first incident of the answer before.
    pub calls: Vec<(String, String)>,
    /// Of each list one must be said.
    pub must: Vec<Vec<String>>,
    /// None of these may be.
    #[serde(default)]
    pub must_not: Vec<String>,
}

impl Evals {
    pub(crate) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../evals/questions.toml");
        toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }
}
