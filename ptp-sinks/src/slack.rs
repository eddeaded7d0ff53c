//! A Slack channel, by incoming webhook.

use std::fmt::Write as _;
use std::sync::Arc;

use ptp_diagnostics::Severity;
use ptp_diagnostics::report::AlertStatus;
use serde::Serialize;

use crate::identity::Identity;
use crate::{Answer, Destination, Message, SinkError};

/// The longest text of one block, in characters (Slack's limit for `section` is 3000).
const LONGEST: usize = 2800;
/// How many pieces of advice are sent, each a block (Slack's limit is 50 blocks).
const MOST_ADVICE: usize = 10;

/// Posts to an incoming webhook.
#[derive(Debug)]
pub struct Slack {
    destination: Destination,
    identity: Arc<Identity>,
}

#[derive(Debug, Serialize)]
struct Posted {
    /// What notifications show.
    text: String,
    blocks: Vec<Block>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Block {
    Section { text: Text },
    Context { elements: [Text; 1] },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Text {
    Mrkdwn { text: String },
}

impl Slack {
    /// Posts to an incoming webhook. Its URL is a secret: whoever has it can post.
    #[must_use]
    pub const fn new(destination: Destination, identity: Arc<Identity>) -> Self {
        Self { destination, identity }
    }

    pub(super) async fn deliver(&mut self, message: &Message) -> Result<Answer, SinkError> {
        let body = posted(&self.identity, message);
        self.destination.post(|request| request.json(&body)).await
    }
}

/// The message; everything from events is escaped, so that no name can ping a channel.
///
/// An incoming webhook cannot answer in a thread, as it is not told what its messages are called; so
/// the end of an incident is one line with a sign of its own.
fn posted(identity: &Identity, message: &Message) -> Posted {
    let (alert, incident) = (&message.alert, &message.incident);
    let resolved = alert.status == AlertStatus::Resolved;
    let sign = match (resolved, alert.severity) {
        (true, _) => ":white_check_mark:",
        (_, Severity::Critical) => ":red_circle:",
        (_, Severity::Warning) => ":large_orange_circle:",
        _ => ":large_blue_circle:",
    };
    let cluster = identity.cluster.as_deref();
    let cluster = cluster.map(|name| format!("[{}] ", escape(name))).unwrap_or_default();
    let summary = escape(&alert.summary);
    let headline = if resolved {
        format!("{sign} {cluster}{summary}")
    } else {
        format!("{sign} {cluster}*{}* {summary}", alert.severity)
    };
    let mut blocks = Vec::new();
    if resolved {
        let lasted = incident.resolved_at.unwrap_or(alert.timestamp).since(incident.opened_at);
        let lasted = ptp_diagnostics::text::lasting(lasted);
        blocks.push(section(&format!("{headline} (it lasted {lasted})")));
    } else {
        blocks.push(section(&format!("{headline}\n{}", escape(&alert.details))));
        for (number, advice) in incident.recommendations.iter().take(MOST_ADVICE).enumerate() {
            let mut text = format!("{}. {}", number + 1, escape(&advice.action));
            if let Some(command) = &advice.command {
                write!(text, "\n```{}```", escape(command)).unwrap_or_default();
            }
            blocks.push(section(&text));
        }
    }
    let mut context = format!("`{}`, incident `{}`", alert.root_cause, escape(&alert.incident));
    if let Some(url) = identity.incident_url(&alert.incident) {
        write!(context, ", <{}|look at it>", escape(&url)).unwrap_or_default();
    }
    let manual = identity.runbook_url(alert.root_cause);
    write!(context, ", <{}|what it is>", escape(&manual)).unwrap_or_default();
    for (name, value) in &identity.labels {
        write!(context, ", {}: {}", escape(name), escape(value)).unwrap_or_default();
    }
    blocks.push(Block::Context { elements: [Text::Mrkdwn { text: context }] });
    Posted { text: headline, blocks }
}

fn section(text: &str) -> Block {
    let fits = text.chars().count() <= LONGEST;
    let mut text: String = text.chars().take(LONGEST).collect();
    if !fits {
        text.push('…');
        // A block of code that was cut is still one.
        if text.matches("```").count() % 2 == 1 {
            text.push_str("```");
        }
    }
    Block::Section { text: Text::Mrkdwn { text } }
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

    #[test]
    fn code_that_is_cut_stays_code() {
        let Block::Section { text: Text::Mrkdwn { text } } =
            section(&format!("1. do\n```{}```", "x".repeat(5000)))
        else {
            panic!("a section")
        };
        assert!(text.ends_with("…```") && text.chars().count() < 3000);
    }
}
