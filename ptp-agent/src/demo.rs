//! `ptp-agent demo`: a small fleet on this machine, three faults, and what the agent says.
//!
//! The publishers speak the real protocol over real HTTP; only the clocks behind them are invented.

mod story;

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;
use ptp_diagnostics::ChangeKind;
use ptp_diagnostics::text::{lasting, time_of_day};
use ptp_events::publisher::{Options as PublisherOptions, Publisher};
use ptp_events::{NodeName, Resource};

use crate::app::App;
use crate::config::Config;
use crate::engine_task::Notification;
use story::{STORY, healthy, now};

/// How the demo is shown.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Port of the API to look at meanwhile; 0 chooses a free one
    #[arg(long = "demo-port", default_value_t = 0)]
    pub port: u16,

    /// How long to go on serving the API afterwards
    #[arg(long, default_value = "0s", value_name = "DURATION", value_parser = ptp_events::length)]
    pub linger: Duration,
}

const NODES: [&str; 5] = ["gm-0", "worker-0", "worker-1", "worker-2", "worker-3"];

/// Runs the demo.
///
/// # Errors
/// When ports cannot be bound, or output fails.
pub async fn run(options: &Options, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut publishers = fleet().await?;
    let folder = std::env::temp_dir().join(format!("ptp-agent-demo-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let list = publishers.iter().map(|publisher| (publisher.url(), None)).collect();
    let mut config = Config::local(list, Some(folder.join("journal.db")));
    config.api.set_port(options.port);
    let app = App::bind(config).await?;
    let api = app.api_addr()?;
    let running = app.start().await?;
    let mut notifications = running.engine.notifications.subscribe();

    writeln!(out, "A grandmaster and four followers, on this machine; the agent watches them.")?;
    writeln!(out, "Look at it meanwhile:")?;
    writeln!(out, "  http://{api}/ in a browser")?;
    for path in ["/summary", "/alerts", "/api/v1/incidents", "/api/v1/nodes", "/metrics"] {
        writeln!(out, "  http://{api}{path}")?;
    }
    writeln!(
        out,
        "  {} (sqlite3, or ptp-cli diagnose --journal)",
        folder.join("journal.db").display()
    )?;
    writeln!(out)?;

    // Every node is subscribed to before the story begins.
    let begun = std::time::Instant::now();
    while publishers.iter().any(|p| p.subscriptions().len() < Resource::ALL.len()) {
        anyhow::ensure!(begun.elapsed() < Duration::from_secs(20), "the agent did not subscribe");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    writeln!(out, "Subscribed to all 5 in {}.\n", lasting(begun.elapsed()))?;

    let mut steps = STORY.iter();
    let mut next = steps.next();
    let mut due = tokio::time::Instant::now() + Duration::from_secs(1);
    let end = due + Duration::from_secs(125);
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(due), if next.is_some() => {
                if let Some(step) = next {
                    if let Some(say) = step.say {
                        writeln!(out, "  — {say}")?;
                    }
                    let index = NODES.iter().position(|name| *name == step.node).unwrap_or(0);
                    let publisher = &publishers[index];
                    publisher.publish(&(step.event)(publisher.node(), now())).await;
                    next = steps.next();
                    due += Duration::from_millis(next.map_or(0, |step| step.after_ms));
                }
            }
            notification = notifications.recv() => {
                if let Ok(notification) = notification {
                    show(&notification, out)?;
                }
                let snapshot = running.engine.snapshot.borrow().clone();
                let firing = snapshot.report.incidents.iter().any(|i| i.resolved_at.is_none());
                if next.is_none() && !firing && !snapshot.report.incidents.is_empty() {
                    break;
                }
            }
            () = tokio::time::sleep_until(end) => break,
            () = tokio::time::sleep(Duration::from_millis(500)), if next.is_none() => {
                let snapshot = running.engine.snapshot.borrow().clone();
                if snapshot.report.incidents.iter().all(|i| i.resolved_at.is_some()) {
                    break;
                }
            }
        }
    }
    let snapshot = running.engine.snapshot.borrow().clone();
    let (events, incidents, alerts) = (
        snapshot.report.input.events,
        snapshot.report.incidents.len(),
        snapshot.report.alerts.len(),
    );
    writeln!(out, "\n{events} events became {incidents} incidents and {alerts} alerts.")?;
    if !options.linger.is_zero() {
        writeln!(out, "Serving http://{api} for another {}.", lasting(options.linger))?;
        tokio::time::sleep(options.linger).await;
    }
    running.stop().await;
    for publisher in &mut publishers {
        publisher.stop().await;
    }
    Ok(())
}

/// One publisher per node, all healthy.
async fn fleet() -> anyhow::Result<Vec<Publisher>> {
    let mut publishers = Vec::new();
    for name in NODES {
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let node = NodeName::new(name)?;
        let publisher = Publisher::bind(local, node.clone(), PublisherOptions::default()).await?;
        for event in healthy(&node) {
            publisher.remember(&event);
        }
        publishers.push(publisher);
    }
    Ok(publishers)
}

fn show(notification: &Notification, out: &mut dyn Write) -> std::io::Result<()> {
    let incident = &notification.incident;
    let what = match notification.change {
        ChangeKind::Opened => "OPENED",
        ChangeKind::Escalated => "ESCALATED",
        ChangeKind::Resolved => "RESOLVED",
        ChangeKind::Reopened => "REOPENED",
        _ => return Ok(()),
    };
    let (at, severity) = (time_of_day(notification.at), incident.severity);
    writeln!(out, "{at} {what:<9} {severity:<8} {}", incident.summary)?;
    match notification.change {
        ChangeKind::Opened => {
            let (cause, verdict) = (incident.root_cause, incident.verdict.as_str());
            let after = lasting(incident.detected_at.since(incident.opened_at));
            writeln!(out, "             {cause}, {verdict}, known {after} after it began")?;
        }
        ChangeKind::Resolved => {
            let took = incident.resolved_at.map(|at| lasting(at.since(incident.opened_at)));
            writeln!(out, "             after {}", took.unwrap_or_default())?;
        }
        _ => {}
    }
    out.flush()
}
