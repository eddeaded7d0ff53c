//! A Slack channel, by incoming webhook.

use std::fmt::Write as _;

use ptp_diagnostics::Severity;
use ptp_diagnostics::report::AlertStatus;
use serde_json::{Value, json};

use super::{Message, SinkError, call};
use crate::secret::Secret;

/// The longest text of one block (Slack's limit for `section` is 3000 characters).
const LONGEST: usize = 2800;

/// Posts to an incoming webhook.
pub struct Slack {
    http: reqwest::Client,
    url: Secret,
}

impl Slack {
    /// Posts to `url`, which is a secret: whoever has it can post.
    #[must_use]
    pub const fn new(http: reqwest::Client, url: Secret) -> Self {
        Self { http, url }
    }

    pub(super) async fn deliver(&self, message: &Message) -> Result<(), SinkError> {
        call(self.http.post(self.url.expose()).json(&body(message))).await
    }
}

/// The message; everything from events is escaped, so that no name can ping a channel.
fn body(message: &Message) -> Value {
    let alert = &message.alert;
    let sign = match (alert.status, alert.severity) {
        (AlertStatus::Resolved, _) => ":white_check_mark:",
        (_, Severity::Critical) => ":red_circle:",
        _ => ":large_orange_circle:",
    };
    let headline = format!("{sign} *{}* {}", alert.severity, escape(&alert.summary));
    let mut text = format!("{headline}\n{}", escape(&alert.details));
    for (number, advice) in alert.recommendations.iter().enumerate() {
        write!(text, "\n{}. {}", number + 1, escape(advice)).unwrap_or_default();
    }
    let text: String = text.chars().take(LONGEST).collect();
    let context = format!("`{}`, incident `{}`", alert.root_cause, escape(&alert.incident));
    json!({
        "text": headline,
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": text}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
        ],
    })
}

/// Slack's three control characters, and backticks, which would end a code span.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '`' => out.push('\''),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_ping_a_channel() {
        assert_eq!(escape("<!channel> & `x`\n"), "&lt;!channel&gt; &amp; 'x'");
    }
}
