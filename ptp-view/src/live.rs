//! Pages that a server keeps up to date: the fleet, an incident, a node, who is not told of what.
//!
//! They are whole without a script; with it they are drawn again by the server whenever something changes.

mod fleet;
mod line;
mod lists;

use maud::{DOCTYPE, Markup, html};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use ptp_events::Received;

use crate::strip;
use crate::words::time;

pub use fleet::{Fleet, Range, fleet};
pub use lists::{alerts, incident, incidents, login, node, problem, silences};

/// The style of these pages, to be served at [`STYLE_PATH`].
pub const STYLE: &str = concat!(include_str!("assets/style.css"), include_str!("assets/live.css"));
/// The script of these pages, to be served at [`SCRIPT_PATH`].
pub const SCRIPT: &str = concat!(include_str!("assets/copy.js"), include_str!("assets/live.js"));
/// Where the style is looked for.
pub const STYLE_PATH: &str = "/assets/style.css";
/// Where the script is looked for.
pub const SCRIPT_PATH: &str = "/assets/live.js";
/// What a browser may do with these pages; to be sent as `Content-Security-Policy`.
pub const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// What all pages show.
#[derive(Clone, Debug)]
pub struct Shell {
    /// What people call the cluster.
    pub cluster: Option<String>,
    /// As of when.
    pub at: Received,
    /// What keeps the agent from its work: what suffers, why, and whether something is not observed.
    pub conditions: Vec<(String, String, bool)>,
}

/// The pages one can go to, and the keys that lead there.
const PAGES: [(&str, &str, &str); 4] = [
    ("/", "Fleet", "f"),
    ("/incidents", "Incidents", "i"),
    ("/told", "Alerts", "a"),
    ("/silences", "Silences", "s"),
];

impl Shell {
    /// A page around what stands in its middle.
    fn page(&self, here: &str, title: &str, body: &Markup) -> String {
        let name = self.cluster.as_deref().unwrap_or("PTP agent");
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                (head(&format!("{title} · {name}")))
                body {
                    (strip::patterns())
                    header.top {
                        h1 { (name) }
                        nav aria-label="Pages" {
                            @for (path, title, key) in PAGES {
                                a href=(path) data-key=(key) title=(format!("{title} ({key})")) aria-current=[(path == here).then_some("page")] { (title) }
                            }
                        }
                        form.inline action="/" method="get" role="search" {
                            label for="search" class="soft" { "Node" }
                            input #search type="search" name="q" placeholder="/" size="14";
                        }
                        div.right {
                            span #live.soft role="status" { "as of " (time(self.at)) }
                            label { span.soft { "Times " } select #zone { option value="UTC" { "UTC" } option value="local" { "local" } } }
                        }
                    }
                    main {
                        (self.conditions())
                        (body)
                    }
                    footer { p.soft { "Everything here is in " a href="/openapi.json" { "/api/v1" } "; " a href="/health" { "/health" } " and " a href="/metrics" { "/metrics" } " are for machines." } }
                    script src=(SCRIPT_PATH) {}
                }
            }
        };
        page.into_string()
    }

    fn conditions(&self) -> Markup {
        const SHOWN: usize = 20;
        if self.conditions.is_empty() {
            return html! {};
        }
        let failing = self.conditions.iter().any(|(.., failing)| *failing);
        html! {
            section.conditions.failing[failing] aria-label="What keeps the agent from its work" {
                h2 { @if failing { "The agent does not see everything" } @else { "Something the agent needs does not work" } }
                ul { @for (name, why, _) in self.conditions.iter().take(SHOWN) { li { strong { (name) } ": " (why) } } }
                @if self.conditions.len() > SHOWN { p { "and " (self.conditions.len() - SHOWN) " more, in " a href="/health" { "/health" } } }
            }
        }
    }
}

fn head(title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (title) }
            link rel="stylesheet" href=(STYLE_PATH);
            link rel="icon" href="data:,";
        }
    }
}

/// A name as a part of an address.
pub(crate) fn escaped(name: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(name, NON_ALPHANUMERIC)
}

/// Where the page of a node is.
fn of_node(node: &str) -> String {
    format!("/nodes/{}", escaped(node))
}

/// Where the page of an incident is.
fn of_incident(id: &str) -> String {
    format!("/incidents/{}", escaped(id))
}
