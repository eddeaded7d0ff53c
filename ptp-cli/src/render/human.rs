//! For people, in 80 columns; colour only where the output takes it.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use ptp_diagnostics::report::{IncidentReport, NodeReport, Report};
use ptp_diagnostics::stability::BASIS;
use ptp_diagnostics::text::{lasting, moment, time_of_day};
use ptp_diagnostics::{NodeState, Severity, Status};
use ptp_events::{NodeName, SyncState};
use ptp_view::states;

use super::stability::{COLUMNS, figures, filtered, fits, name};
use super::timeline;

/// How wide it is where nobody says, and at most: longer lines are hard to read.
const WIDTH: usize = 80;
const WIDEST: usize = 120;
/// From how many incidents on there is an index.
const INDEXED: usize = 4;
/// How many events of an incident are shown, affected nodes named, and nodes listed.
const SHOWN_EVENTS: usize = 12;
const SHOWN_NAMES: usize = 4;
const SHOWN_NODES: usize = 20;
const SHOWN_TIMELINES: usize = 8;

/// From how many unknown seconds on they are named beside a node's share of LOCKED.
const WORTH_A_WORD: f64 = 60.0;

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();

const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::Warning => AnsiColor::Yellow.on_default().bold(),
        Severity::Info => AnsiColor::Cyan.on_default(),
    }
}

/// How wide the terminal is; 80 columns where the output goes elsewhere.
pub(crate) fn terminal_width() -> usize {
    let size = if io::stdout().is_terminal() { terminal_size::terminal_size() } else { None };
    size.map_or(WIDTH, |(width, _)| usize::from(width.0).clamp(WIDTH, WIDEST))
}

/// The heading, and a line for each incident.
pub(crate) fn brief(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    heading(report, out)?;
    report.incidents.iter().try_for_each(|incident| line(incident, "", out))
}

/// An incident in a line.
fn line(incident: &IncidentReport, lead: &str, out: &mut dyn Write) -> io::Result<()> {
    let colour = style(incident.severity);
    let life = match (incident.status, incident.resolved_at) {
        (Status::Resolved, Some(at)) => {
            format!("over after {}", lasting(at.since(incident.opened_at)))
        }
        _ => "firing".to_owned(),
    };
    let (severity, since) = (incident.severity.as_str(), moment(incident.opened_at));
    let (summary, cause) = (&incident.summary, incident.root_cause.code());
    writeln!(out, "{lead}{colour}{severity:<9}{colour:#} {since}  {summary} ({cause}), {life}")
}

pub(crate) fn human(report: &Report, width: usize, out: &mut dyn Write) -> io::Result<()> {
    heading(report, out)?;
    if report.incidents.len() >= INDEXED {
        writeln!(out)?;
        for (number, incident) in (1..).zip(&report.incidents) {
            line(incident, &format!("{number:>3}. "), out)?;
        }
    }
    for incident in &report.incidents {
        writeln!(out)?;
        write_incident(report, incident, width, out)?;
    }
    for window in &report.blind_windows {
        let until = window.to.map_or("now".to_owned(), moment);
        writeln!(out)?;
        write!(
            out,
            "{BOLD}blind{BOLD:#} to {} from {} to {until}",
            window.node,
            moment(window.from)
        )?;
        writeln!(out, ": {}", window.why)?;
    }
    nodes(&report.nodes, out)?;
    stability(report, width, out)
}

fn heading(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    match report.incidents.as_slice() {
        [] => {
            let green = AnsiColor::Green.on_default().bold();
            writeln!(out, "{green}No incidents.{green:#}")?;
        }
        [one] => {
            let style = style(one.severity);
            writeln!(out, "{style}1 incident, {}{style:#}", one.severity)?;
        }
        many => {
            let worst = many.iter().map(|incident| incident.severity).max();
            let worst = worst.unwrap_or(Severity::Info);
            let style = style(worst);
            writeln!(out, "{style}{} incidents, the worst {worst}{style:#}", many.len())?;
        }
    }
    let input = &report.input;
    if let (Some(first), Some(last)) = (input.first, input.last) {
        let plural = |n: u64, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
        write!(
            out,
            "{DIM}{} from {}, {} for {}",
            plural(input.events, "event"),
            plural(report.nodes.len() as u64, "node"),
            moment(first),
            lasting(last.since(first)),
        )?;
        for (count, what) in [
            (input.placeholders, "without data yet"),
            (input.duplicates, "sent twice"),
            (input.malformed, "malformed"),
        ] {
            if count > 0 {
                write!(out, ", {count} {what}")?;
            }
        }
        writeln!(out, "{DIM:#}")?;
    }
    Ok(())
}

fn write_incident(
    report: &Report,
    incident: &IncidentReport,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let colour = style(incident.severity);
    let severity = incident.severity.as_str();
    writeln!(out, "{colour}{severity:<9}{colour:#} {BOLD}{}{BOLD:#}", incident.summary)?;
    let mut field = |name: &str, text: &str| wrapped(out, width, &format!("  {name:<10}"), text);
    let cause = incident.root_cause.code();
    let (verdict, confidence) = (incident.verdict.as_str(), incident.confidence);
    field("cause", &format!("{cause}, {verdict} (confidence {confidence:.2})"))?;
    let since = moment(incident.opened_at);
    let after = lasting(incident.detected_at.since(incident.opened_at));
    let life = match (incident.status, incident.resolved_at) {
        (Status::Resolved, Some(at)) => {
            format!("resolved after {}", lasting(at.since(incident.opened_at)))
        }
        _ => "still firing".to_owned(),
    };
    field("since", &format!("{since}, known {after} later, {life}"))?;
    field("nodes", &affected(incident))?;
    if let Some(forecast) = &incident.forecast {
        field("forecast", &ptp_view::expected(incident, forecast, report.input.last))?;
    }
    field("what", &incident.details)?;

    writeln!(out, "\n  {BOLD}How we know{BOLD:#}")?;
    for evidence in incident.evidence.iter().take(SHOWN_EVENTS) {
        let against = if evidence.supports { "" } else { " (speaks against it)" };
        let lead = format!("    {}  ", time_of_day(evidence.at));
        let node = &evidence.node;
        let instance = evidence.instance.as_str();
        let clock = match instance {
            "" => evidence.resource.to_string(),
            instance => instance.to_owned(),
        };
        wrapped(out, width, &lead, &format!("{node} {clock}: {}{against}", evidence.says))?;
    }
    if incident.evidence.len() > SHOWN_EVENTS {
        writeln!(out, "    and {} more", incident.evidence.len() - SHOWN_EVENTS)?;
    }
    for finding in incident.findings.iter().filter(|_| incident.evidence.is_empty()) {
        wrapped(
            out,
            width,
            "    ",
            &format!("{} {}: {}", finding.node, finding.code, finding.says),
        )?;
    }
    timelines(report, incident, width, out)?;

    writeln!(out, "\n  {BOLD}What to do{BOLD:#}")?;
    for (number, advice) in incident.recommendations.iter().enumerate() {
        wrapped(out, width, &format!("    {}. ", number + 1), &advice.action)?;
        if let Some(command) = &advice.command {
            // Not wrapped, so that it can be copied.
            writeln!(out, "       {DIM}${DIM:#} {command}")?;
        }
    }
    if !incident.known_bugs.is_empty() {
        writeln!(out, "\n  {BOLD}Known bugs that look like this{BOLD:#}")?;
        for bug in &incident.known_bugs {
            wrapped(out, width, &format!("    {}: ", bug.id), &bug.in_one_line())?;
        }
    }
    if !incident.alternatives.is_empty() {
        writeln!(out, "\n  {BOLD}Could also be{BOLD:#}")?;
        for other in &incident.alternatives {
            let lead = format!("    {} ({:.2}): ", other.root_cause, other.confidence);
            wrapped(out, width, &lead, &format!("decide by {}", other.decide_by))?;
        }
    }
    Ok(())
}

fn affected(incident: &IncidentReport) -> String {
    let list = |names: &[NodeName]| {
        let shown: Vec<_> = names.iter().take(SHOWN_NAMES).map(NodeName::as_str).collect();
        match names.len().saturating_sub(SHOWN_NAMES) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    };
    let origin = list(&incident.origin_nodes);
    let others: Vec<_> = incident
        .affected_nodes
        .iter()
        .filter(|node| !incident.origin_nodes.contains(node))
        .cloned()
        .collect();
    if others.is_empty() { origin } else { format!("{origin}; affects {}", list(&others)) }
}

/// The states of the clocks where the incident began, then of others it affected.
fn timelines(
    report: &Report,
    incident: &IncidentReport,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Some((from, to)) = states::span(report) else {
        return Ok(());
    };
    let drawn = |origin: bool| {
        report
            .nodes
            .iter()
            .filter(move |node| {
                incident.affected_nodes.contains(&node.node)
                    && incident.origin_nodes.contains(&node.node) == origin
            })
            .flat_map(|node| node.clocks.iter().map(move |clock| (node, clock)))
            .filter(|(_, clock)| states::is_drawn(clock))
    };
    let mut all: Vec<_> = drawn(true).chain(drawn(false)).collect();
    // Of those where it began and of the others: what changed, or is unwell, says more.
    all.sort_by_key(|(node, clock)| {
        let is_well = clock.state.as_ref().is_none_or(SyncState::is_locked);
        (!incident.origin_nodes.contains(&node.node), clock.changes == 0 && is_well)
    });
    if all.is_empty() {
        return Ok(());
    }
    let day = |at| moment(at).split(' ').next().map(str::to_owned);
    let said = if day(from) == day(to) { time_of_day } else { moment };
    let span = format!("{} to {}", said(from), said(to));
    writeln!(
        out,
        "\n  {BOLD}Timeline{BOLD:#} {span}  {DIM}= locked  ~ holdover  ! lost  . unknown{DIM:#}"
    )?;
    let label_width = WIDTH - 6 - timeline::CELLS;
    for (node, clock) in all.iter().take(SHOWN_TIMELINES) {
        let label = match clock.instance.as_str() {
            "" => format!("{} {}", node.node, clock.resource),
            instance => format!("{} {instance}", node.node),
        };
        let kind = if clock.resource == ptp_events::Resource::Gnss { " gnss" } else { "" };
        let label = clip(&format!("{label}{kind}"), label_width);
        write!(out, "    {label:<label_width$} ")?;
        let holes = states::holes(report, &node.node, to);
        bar(&timeline::cells(clock, &holes, from, to, timeline::CELLS + width - WIDTH), out)?;
    }
    if all.len() > SHOWN_TIMELINES {
        writeln!(out, "    and {} more clocks", all.len() - SHOWN_TIMELINES)?;
    }
    Ok(())
}

fn bar(cells: &[NodeState], out: &mut dyn Write) -> io::Result<()> {
    for run in cells.chunk_by(|a, b| a == b) {
        let style = match run[0] {
            NodeState::Unknown => DIM,
            NodeState::Locked => AnsiColor::Green.on_default(),
            NodeState::Holdover => AnsiColor::Yellow.on_default(),
            NodeState::Freerun => AnsiColor::Red.on_default(),
        };
        let text: String = run.iter().map(|state| timeline::glyph(*state)).collect();
        write!(out, "{style}{text}{style:#}")?;
    }
    writeln!(out)
}

fn nodes(nodes: &[NodeReport], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{BOLD}Nodes{BOLD:#}")?;
    let mut listed: Vec<_> = nodes.iter().collect();
    // The worst first; the order is stable for equals.
    listed.sort_by(|a, b| a.availability.unwrap_or(0.0).total_cmp(&b.availability.unwrap_or(0.0)));
    for node in listed.iter().take(SHOWN_NODES) {
        let unknown = node.time_in_state_s.unknown;
        let locked = match node.availability {
            // A start takes seconds until something is known; a hole is longer.
            Some(share) if unknown >= WORTH_A_WORD => {
                let unknown = lasting(Duration::from_secs_f64(unknown));
                format!("locked {:.1} % of the time, unknown for {unknown}", share * 100.0)
            }
            Some(share) => format!("locked {:.1} % of the time", share * 100.0),
            None => "state not known".to_owned(),
        };
        let name = clip(node.node.as_str(), 34);
        let (role, state) = (node.role.as_str(), node.state.as_str());
        writeln!(out, "  {name:<34} {role:<8} {state:<9} {locked}")?;
    }
    if nodes.len() > SHOWN_NODES {
        writeln!(out, "  and {} more", nodes.len() - SHOWN_NODES)?;
    }
    Ok(())
}

/// What the clocks say of themselves, those that are refused last.
fn stability(report: &Report, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let Some(clocks) = &report.stability else {
        return Ok(());
    };
    writeln!(out, "\n{BOLD}Stability while LOCKED{BOLD:#}  {DIM}{BASIS}; in ns{DIM:#}")?;
    if clocks.is_empty() {
        return writeln!(out, "  no clock sent offsets");
    }
    let (measured, refused): (Vec<_>, Vec<_>) =
        clocks.iter().partition(|clock| clock.figures.is_some());
    let mut row = |style: Style, name: &str, cells: &[String; 6], fits: &str| {
        let [samples, every, max, cte, mtie, tdev] = cells;
        let name = clip(name, 23);
        write!(out, "  {style}{name:<23} {samples:>7} {every:>6} {max:>7} {cte:>6} ")?;
        writeln!(out, "{mtie:>6} {tdev:>6}  {fits}{style:#}")
    };
    if !measured.is_empty() {
        let [clock, cells @ .., fits] = COLUMNS;
        row(DIM, clock, &cells.map(str::to_owned), fits)?;
    }
    for clock in measured.iter().take(SHOWN_NODES) {
        if let Some(cells) = figures(clock) {
            row(Style::new(), &name(clock), &cells, fits(clock))?;
        }
    }
    for clock in measured.iter().take(SHOWN_NODES) {
        if let Some(told) = filtered(clock) {
            wrapped(out, width, &format!("  {:<23} ", clip(&name(clock), 23)), &told)?;
        }
    }
    for clock in refused.iter().take(SHOWN_NODES) {
        let lead = format!("  {:<23} ", clip(&name(clock), 23));
        wrapped(out, width, &lead, clock.refused.as_deref().unwrap_or_default())?;
    }
    let hidden = [&measured, &refused].map(|list| list.len().saturating_sub(SHOWN_NODES));
    match hidden.iter().sum::<usize>() {
        0 => Ok(()),
        more => writeln!(out, "  and {more} more"),
    }
}

/// At most so many characters, the end marked when some are missing.
fn clip(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// Wraps text behind a lead of its own, the further lines indented as far.
fn wrapped(out: &mut dyn Write, width: usize, lead: &str, text: &str) -> io::Result<()> {
    let indent = " ".repeat(lead.chars().count().min(WIDTH / 2));
    let options = textwrap::Options::new(width).initial_indent(lead).subsequent_indent(&indent);
    for line in textwrap::wrap(text, options) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
