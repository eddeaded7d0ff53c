//! Errors, for people.

use std::error::Error;

/// An error and its causes in one line.
///
/// Some libraries repeat a cause in the sentence before it; such repetitions are left out.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let sentence = inner.to_string();
        if !text.contains(&sentence) {
            text.push_str(": ");
            text.push_str(&sentence);
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{says}")]
    struct Step {
        says: &'static str,
        source: Option<Box<Step>>,
    }

    #[test]
    fn causes_follow_and_are_said_once() {
        let refused = Step { says: "refused", source: None };
        let below = Step { says: "cannot connect: refused", source: Some(refused.into()) };
        let whole = Step { says: "nobody answers", source: Some(below.into()) };
        assert_eq!(chain(&whole), "nobody answers: cannot connect: refused");
    }
}
