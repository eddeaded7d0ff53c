//! What is said about a node, with what shows it, and what the statements come to together.

use serde_json::{Value, json};

use super::{a, object};

/// What something turned out to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Finding {
    Good,
    Bad,
    /// It could not be read: neither good nor bad.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Statement {
    pub about: &'static str,
    pub finding: Finding,
    pub says: String,
    /// Where that was read: the tool that shows more of it.
    pub evidence: &'static str,
}

impl Statement {
    pub(super) fn shown(&self) -> Value {
        let finding = match self.finding {
            Finding::Good => "good",
            Finding::Bad => "bad",
            Finding::Unknown => "unknown",
        };
        json!({"about": self.about, "finding": finding, "says": self.says, "evidence": self.evidence})
    }

    pub(super) fn line(&self) -> String {
        let mark = match self.finding {
            Finding::Good => "ok ",
            Finding::Bad => "BAD",
            Finding::Unknown => " ? ",
        };
        format!("{mark} {}: {}", self.about, self.says)
    }
}

pub(super) fn schema() -> Value {
    object(&[
        ("about", a("string")),
        ("finding", json!({"type": "string", "enum": ["good", "bad", "unknown"]})),
        ("says", a("string")),
        ("evidence", a("string")),
    ])
}

/// `not-synchronised` if anything is bad, `unknown` if anything could not be read, or nothing was.
pub(super) fn verdict(statements: &[Statement]) -> &'static str {
    let any = |finding| statements.iter().any(|statement| statement.finding == finding);
    if any(Finding::Bad) {
        "not-synchronised"
    } else if any(Finding::Unknown) || statements.is_empty() {
        "unknown"
    } else {
        "synchronised"
    }
}

pub(super) fn verdict_schema() -> Value {
    json!({"type": "string", "enum": ["synchronised", "not-synchronised", "unknown"]})
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
            assert_eq!(verdict(&statements), expected, "{findings:?}");
        }
    }
}
