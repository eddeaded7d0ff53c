//! What a running agent knows: `ptp-cli incidents`, `nodes`, `silence` and `watch`.

mod watch;

use std::io::Write;

use anyhow::{Context as _, bail};
use ptp_diagnostics::report::{Generator, IncidentReport, Input, NodeReport, Report, SCHEMA};
use ptp_diagnostics::text::moment;
use ptp_diagnostics::{Severity, Status};
use ptp_events::Received;
use ptp_events::client::Tls;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::args::{AgentArgs, IncidentsArgs, NodesArgs, SilenceArgs, SilenceCommand};
use crate::{Outcome, render};

pub(crate) use watch::run as watch;

/// How many entries a page has; the agent gives no more at once.
const PAGE: usize = 1000;

/// A name as a part of an address.
fn escaped(name: &str) -> impl std::fmt::Display + '_ {
    percent_encoding::utf8_percent_encode(name, percent_encoding::NON_ALPHANUMERIC)
}

/// What an agent answers when it does not do what was asked.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

#[derive(Deserialize)]
struct Listed<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
}

/// A silence, as the API gives it.
#[derive(Deserialize)]
struct Silence {
    id: String,
    node: Option<String>,
    root_cause: Option<String>,
    from: Received,
    until: Received,
    comment: String,
    created_by: String,
}

pub(crate) fn incidents(args: &IncidentsArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let agent = Agent::new(&args.agent)?;
    let incidents = match &args.id {
        Some(id) => vec![agent.get::<IncidentReport>(&format!("incidents/{}", escaped(id)))?],
        None => agent.list("incidents", if args.all { "" } else { "status=firing" })?,
    };
    let goes_on = |incident: &IncidentReport| {
        incident.status == Status::Firing && incident.severity >= Severity::Warning
    };
    let outcome = if incidents.iter().any(goes_on) { Outcome::Findings } else { Outcome::Healthy };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &incidents)?;
        writeln!(out)?;
    } else if args.id.is_some() {
        render::human(&report(incidents)?, render::terminal_width(), out)?;
    } else {
        render::brief(&report(incidents)?, out)?;
    }
    out.flush()?;
    Ok(outcome)
}

/// A report of nothing but these.
fn report(incidents: Vec<IncidentReport>) -> anyhow::Result<Report> {
    let generator = Generator { name: "ptp-cli".into(), version: env!("CARGO_PKG_VERSION").into() };
    let empty = json!({
        "schema": SCHEMA, "generator": generator, "input": Input::default(),
        "nodes": [], "incidents": [], "alerts": [], "blind_windows": [],
    });
    let mut report: Report = serde_json::from_value(empty)?;
    report.incidents = incidents;
    Ok(report)
}

pub(crate) fn nodes(args: &NodesArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let agent = Agent::new(&args.agent)?;
    let nodes: Vec<NodeReport> = match &args.node {
        Some(name) => vec![agent.get(&format!("nodes/{}", escaped(name.as_str())))?],
        None => agent.list("nodes", "")?,
    };
    if args.json {
        serde_json::to_writer_pretty(&mut *out, &nodes)?;
        writeln!(out)?;
    } else {
        for node in &nodes {
            let locked = node.availability.map_or_else(String::new, |share| {
                format!("LOCKED {:.2} % of the time", share * 100.0)
            });
            let (name, role, state) = (&node.node, node.role.as_str(), node.state.as_str());
            writeln!(out, "{:<34} {role:<8} {state:<9} {locked}", name.as_str())?;
            for clock in node.clocks.iter().filter(|_| args.node.is_some()) {
                let state = clock.state.as_ref().map_or("", |state| state.as_str());
                let offset = clock
                    .offset_ns
                    .map_or_else(String::new, |offset| format!("{} ns", offset.last));
                let since =
                    clock.since.map_or_else(String::new, |at| format!("since {}", moment(at)));
                let (kind, instance) = (&clock.resource, &clock.instance);
                writeln!(out, "  {instance:<24} {kind:<20} {state:<14} {offset:>10}  {since}")?;
            }
        }
    }
    out.flush()?;
    Ok(Outcome::Healthy)
}

pub(crate) fn silence(args: &SilenceArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let agent = Agent::new(&args.agent)?;
    match &args.command {
        SilenceCommand::List => {
            for silence in agent.list::<Silence>("silences", "")? {
                tell(&silence, out)?;
            }
        }
        SilenceCommand::Add { node, root_cause, everything, duration, comment, created_by } => {
            let body = json!({
                "node": node, "root_cause": root_cause, "everything": everything,
                "duration": duration, "comment": comment, "created_by": created_by,
            });
            let made: Value = agent.ask("POST", "silences", Some(&body))?;
            for warning in
                made["warnings"].as_array().into_iter().flatten().filter_map(Value::as_str)
            {
                anstream::eprintln!("warning: {warning}");
            }
            tell(&serde_json::from_value(made)?, out)?;
        }
        SilenceCommand::End { id } => {
            tell(&agent.ask("DELETE", &format!("silences/{}", escaped(id)), None)?, out)?;
        }
    }
    out.flush()?;
    Ok(Outcome::Healthy)
}

fn tell(silence: &Silence, out: &mut dyn Write) -> std::io::Result<()> {
    let Silence { id, node, root_cause, from, until, comment, created_by } = silence;
    let what = match (node, root_cause) {
        (None, None) => "everything".to_owned(),
        (Some(node), None) => format!("everything on {node}"),
        (None, Some(cause)) => format!("{cause} anywhere"),
        (Some(node), Some(cause)) => format!("{cause} on {node}"),
    };
    let (from, until) = (moment(*from), moment(*until));
    writeln!(out, "{id}  {what}, {from} to {until}: {comment} ({created_by})")
}

/// An agent's API.
struct Agent<'a> {
    args: &'a AgentArgs,
    runtime: tokio::runtime::Runtime,
}

impl<'a> Agent<'a> {
    fn new(args: &'a AgentArgs) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { args, runtime })
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.ask("GET", path, None)
    }

    /// All pages of a list.
    fn list<T: DeserializeOwned>(&self, path: &str, query: &str) -> anyhow::Result<Vec<T>> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page: Listed<T> = self.get(&format!("{path}?limit={PAGE}&{query}{cursor}"))?;
            all.extend(page.items);
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(all),
            }
        }
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<T> {
        let base = self.args.agent.trim_end_matches('/');
        let url = format!("{base}/api/v1/{}", path.trim_end_matches('&'));
        let client = Tls::with_ca_file(self.args.ca_file.clone()).builder()?.build()?;
        let request = match method {
            "POST" => client.post(url),
            "DELETE" => client.delete(url),
            _ => client.get(url),
        };
        let request = match &self.args.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let answer = self.runtime.block_on(async {
            let answer = request.send().await?;
            Ok((answer.status(), answer.bytes().await?))
        });
        let (status, body) = answer
            .map_err(|error: reqwest::Error| anyhow::Error::new(error.without_url()))
            .with_context(|| {
                format!("cannot reach the agent at {base} (--agent, PTP_AGENT_URL)")
            })?;
        if !status.is_success() {
            let problem = serde_json::from_slice(&body);
            let detail = problem.map_or_else(|_| status.to_string(), |p: Problem| p.detail);
            let hint = if status == 401 { " (--token, PTP_AGENT_TOKEN)" } else { "" };
            bail!("the agent at {base} says: {detail}{hint}");
        }
        serde_json::from_slice(&body)
            .with_context(|| format!("what answers at {base} does not answer as a PTP agent"))
    }
}

#[cfg(test)]
mod tests {
    use ptp_diagnostics::{Engine, Report, Settings};
    use ptp_events::Event;

    /// What a recording says, as an agent would.
    pub(super) fn gnss_loss() -> Report {
        let recording = include_str!("../../recordings/gnss_loss.jsonl");
        let mut engine = Engine::new(Settings::default());
        for line in recording.lines() {
            let event = Event::from_slice(line.as_bytes()).unwrap();
            let received = event.stamped.unwrap().assume_received();
            engine.handle_event(event, received);
        }
        engine.end(std::time::Duration::from_mins(1));
        engine.report()
    }
}
