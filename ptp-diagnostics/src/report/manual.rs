//! The manual: a page per finding and per root cause.

use std::fmt::Write as _;

use ptp_events::deployment::NAMESPACE;

use crate::causes::{EXEC, RootCause};
use crate::detectors::Detector;

/// A page of the manual.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Page {
    /// The code it explains.
    pub code: &'static str,
    /// `finding` or `root cause`.
    pub kind: &'static str,
    /// One line.
    pub title: &'static str,
    /// The page, in Markdown.
    pub text: String,
}

/// Every page about `code`; `synce-degraded` and `process-restart` are both, a finding and a cause.
#[must_use]
pub fn pages(detectors: &[Detector], code: &str) -> Vec<Page> {
    all(detectors).into_iter().filter(|page| page.code == code).collect()
}

/// The whole manual: findings in causal order, then root causes.
#[must_use]
pub fn all(detectors: &[Detector]) -> Vec<Page> {
    let findings = detectors.iter().map(|detector| Page {
        code: detector.code,
        kind: "finding",
        title: detector.summary,
        text: module_comment(detector.manual),
    });
    let own = detectors.iter().filter_map(|detector| Some(detector.shows.cause?.cause()));
    let causes = RootCause::ALL.iter().map(|root| root.cause()).chain(own).map(|cause| {
        let mut text = cause.manual.to_owned();
        write!(text, "\n\nDecide by: {}.\n\nWhat to do:\n", cause.decide_by).unwrap_or_default();
        for action in cause.actions {
            write!(text, "\n- {}", action.action).unwrap_or_default();
            if let Some(command) = action.command {
                let command = command
                    .replace("{exec}", EXEC)
                    .replace("{pod}", "POD")
                    .replace("{namespace}", NAMESPACE)
                    .replace("{node}", "NODE")
                    .replace("{interface}", "INTERFACE")
                    .replace("{since}", "SINCE");
                write!(text, ":\n  `{command}`").unwrap_or_default();
            }
        }
        Page { code: cause.code, kind: "root cause", title: cause.title, text }
    });
    findings.chain(causes).collect()
}

/// The `//!` lines that a source begins with; a text without any is a page already.
fn module_comment(source: &str) -> String {
    if !source.starts_with("//!") {
        return source.to_owned();
    }
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines: Vec<_> = lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detectors::BUILT_IN;

    #[test]
    fn codes_are_unique_and_every_page_has_text() {
        let pages = all(BUILT_IN);
        let mut codes: Vec<_> = pages.iter().map(|page| (page.kind, page.code)).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), pages.len());
        for page in pages {
            assert!(page.text.len() > 80, "{} is not explained", page.code);
            assert!(!page.text.contains("//"), "{} shows code", page.code);
        }
    }
}
