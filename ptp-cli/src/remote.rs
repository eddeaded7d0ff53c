//! What a running agent knows: `ptp-cli incidents`, `nodes`, `silence` and `watch`.

mod watch;

use std::io::Write;
use std::sync::Arc;

use ptp_api::{
    Client, ClientError, Http, IncidentsQuery, NewSilence, Nothing, PageQuery, Secret, Silence,
};
use ptp_diagnostics::report::{Generator, IncidentReport, Input, NodeReport, Report, SCHEMA};
use ptp_diagnostics::text::moment;
use ptp_diagnostics::{Severity, Status};
use ptp_events::client::Tls;
use serde::Serialize;

use crate::args::{AgentArgs, IncidentsArgs, NodesArgs, SilenceArgs, SilenceCommand};
use crate::{Outcome, render};

pub(crate) use watch::run as watch;

pub(crate) fn incidents(args: &IncidentsArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let agent = Agent::new(&args.agent)?;
    let incidents = match &args.id {
        Some(id) => vec![agent.asked(agent.client.incident(id, &Nothing {}))?],
        None => agent.incidents(args.all)?,
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
    #[derive(Serialize)]
    struct Empty {
        schema: &'static str,
        generator: Generator,
        input: Input,
        nodes: [(); 0],
        incidents: [(); 0],
        alerts: [(); 0],
        blind_windows: [(); 0],
    }
    let generator = Generator { name: "ptp-cli".into(), version: env!("CARGO_PKG_VERSION").into() };
    let (nodes, no_incidents, alerts, blind_windows) = ([], [], [], []);
    let input = Input::default();
    let empty = Empty {
        schema: SCHEMA,
        generator,
        input,
        nodes,
        incidents: no_incidents,
        alerts,
        blind_windows,
    };
    let mut report: Report = serde_json::from_value(serde_json::to_value(empty)?)?;
    report.incidents = incidents;
    Ok(report)
}

pub(crate) fn nodes(args: &NodesArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let agent = Agent::new(&args.agent)?;
    let nodes: Vec<NodeReport> = match &args.node {
        Some(name) => vec![agent.asked(agent.client.node(name.as_str(), &Nothing {}))?],
        None => agent.nodes()?,
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
            let query = PageQuery::default();
            let all = agent.client.all(&["api", "v1", "silences"], &query);
            for silence in agent.asked::<Vec<Silence>>(all)? {
                tell(&silence, out)?;
            }
        }
        SilenceCommand::Add { node, root_cause, everything, duration, comment, created_by } => {
            let new = NewSilence {
                node: node.clone(),
                root_cause: root_cause.clone(),
                everything: *everything,
                duration: Some(duration.clone()),
                comment: comment.clone(),
                created_by: created_by.clone(),
                ..NewSilence::default()
            };
            let made = agent.asked(agent.client.silence(&new))?;
            for warning in made.warnings {
                anstream::eprintln!("warning: {warning}");
            }
            tell(&made.silence, out)?;
        }
        SilenceCommand::End { id } => tell(&agent.asked(agent.client.unsilence(id))?, out)?,
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

/// An agent's API, asked one question after the other.
struct Agent {
    url: String,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Agent {
    fn new(args: &AgentArgs) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let tls = Tls::with_ca_file(args.ca_file.clone());
        let token = args.token.as_deref().map(Secret::new);
        let client = Client::new(Arc::new(Http::new(&args.agent, token, &tls)?));
        Ok(Self { url: args.agent.trim_end_matches('/').to_owned(), client, runtime })
    }

    /// Waits for an answer; says who refused it, and what may help.
    fn asked<T>(&self, asking: impl Future<Output = Result<T, ClientError>>) -> anyhow::Result<T> {
        let url = &self.url;
        self.runtime.block_on(asking).map_err(|error| match error {
            ClientError::Refused { status, detail } => {
                let hint = if status == 401 { " (--token, PTP_AGENT_TOKEN)" } else { "" };
                anyhow::anyhow!("the agent at {url} says: {detail}{hint}")
            }
            ClientError::Unreadable { .. } => anyhow::Error::new(error)
                .context(format!("what answers at {url} does not answer as a PTP agent")),
            error => anyhow::Error::new(error)
                .context(format!("cannot reach the agent at {url} (--agent, PTP_AGENT_URL)")),
        })
    }

    /// Those that fire, or all.
    fn incidents(&self, all: bool) -> anyhow::Result<Vec<IncidentReport>> {
        let status = (!all).then(|| "firing".to_owned());
        let query = IncidentsQuery { status, ..IncidentsQuery::default() };
        self.asked(self.client.all(&["api", "v1", "incidents"], &query))
    }

    fn nodes(&self) -> anyhow::Result<Vec<NodeReport>> {
        self.asked(self.client.all(&["api", "v1", "nodes"], &PageQuery::default()))
    }
}

#[cfg(test)]
mod tests {
    use ptp_diagnostics::{Engine, Report, Settings};
    use ptp_events::Event;

    /// What a recording says, as an agent would.
    pub(super) fn gnss_loss() -> Report {
        // Read when it runs: a packaged crate has no recordings, and its tests compile all the same.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../recordings/gnss_loss.jsonl");
        let recording = std::fs::read_to_string(path).unwrap();
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
