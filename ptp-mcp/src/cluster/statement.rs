//! What is said about a node, with what shows it, and what the statements come to together.

use schemars::JsonSchema;
use serde::Serialize;

/// What something turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Finding {
    /// It is as it should be.
    Good,
    /// It is not.
    Bad,
    /// It could not be read: neither good nor bad.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Statement {
    /// About what.
    pub about: &'static str,
    /// What it turned out to be.
    pub finding: Finding,
    /// In words.
    pub says: String,
    /// Where that was read: the tool that shows more of it.
    pub evidence: &'static str,
}

/// What all statements come to together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Sync {
    /// Everything is good.
    Synchronised,
    /// Something is bad.
    NotSynchronised,
    /// Something could not be read, or nothing was.
    Unknown,
}

impl Sync {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Synchronised => "synchronised",
            Self::NotSynchronised => "not-synchronised",
            Self::Unknown => "unknown",
        }
    }
}

/// What statements come to together: what could not be read is never taken for health.
pub(super) fn verdict(statements: &[Statement]) -> Sync {
    let any = |finding| statements.iter().any(|statement| statement.finding == finding);
    if any(Finding::Bad) {
        Sync::NotSynchronised
    } else if any(Finding::Unknown) || statements.is_empty() {
        Sync::Unknown
    } else {
        Sync::Synchronised
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_never_health() {
        use Finding::{Bad, Good, Unknown};
        for (findings, expected) in [
            (&[][..], "unknown"),
            (&[Good], "synchronised"),
            (&[Good, Unknown], "unknown"),
            (&[Good, Bad], "not-synchronised"),
            (&[Unknown, Bad], "not-synchronised"),
        ] {
            let statement = |finding: &Finding| Statement {
                about: "x",
                finding: *finding,
                says: String::new(),
                evidence: "",
            };
            let statements: Vec<_> = findings.iter().map(statement).collect();
            assert_eq!(verdict(&statements).as_str(), expected, "{findings:?}");
        }
    }
}
