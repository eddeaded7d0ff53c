//! Markdown, for tickets and chats.

use std::io::{self, Write};

use ptp_diagnostics::Report;
use ptp_diagnostics::report::IncidentReport;
use ptp_diagnostics::stability::{BASIS, StabilityReport};
use ptp_diagnostics::text::{lasting, moment};

use super::stability::{COLUMNS, figures, filtered, fits, name};

pub(crate) fn markdown(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# PTP diagnosis\n")?;
    let input = &report.input;
    if let (Some(first), Some(last)) = (input.first, input.last) {
        let nodes = match report.nodes.len() {
            1 => "1 node".to_owned(),
            n => format!("{n} nodes"),
        };
        let events = input.events;
        let span = lasting(last.since(first));
        writeln!(out, "{events} events from {nodes}, {} for {span}.\n", moment(first))?;
    }
    if report.incidents.is_empty() {
        writeln!(out, "No incidents.\n")?;
    }
    for incident in &report.incidents {
        write_incident(incident, out)?;
    }
    writeln!(out, "| node | role | state | locked |\n|---|---|---|---|")?;
    for node in &report.nodes {
        let locked =
            node.availability.map_or("unknown".to_owned(), |a| format!("{:.2} %", a * 100.0));
        let (name, role, state) =
            (escape(node.node.as_str()), node.role.as_str(), node.state.as_str());
        writeln!(out, "| {name} | {role} | {state} | {locked} |")?;
    }
    match &report.stability {
        Some(clocks) => stability(clocks, out),
        None => Ok(()),
    }
}

fn stability(clocks: &[StabilityReport], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Stability while LOCKED\n\n{BASIS}; in ns.\n")?;
    writeln!(out, "| {} |", COLUMNS.map(escape).join(" | "))?;
    writeln!(out, "|{}", "---|".repeat(COLUMNS.len()))?;
    for clock in clocks {
        let name = escape(&name(clock));
        match (figures(clock), &clock.refused) {
            (Some(cells), _) => {
                writeln!(out, "| {name} | {} | {} |", cells.join(" | "), fits(clock))?;
            }
            (None, refused) => {
                let refused = escape(refused.as_deref().unwrap_or_default());
                writeln!(out, "| {name} | | | | | | | {refused} |")?;
            }
        }
    }
    for clock in clocks {
        if let Some(told) = filtered(clock) {
            writeln!(out, "\n{}: {}", escape(&name(clock)), escape(&told))?;
        }
    }
    Ok(())
}

fn write_incident(incident: &IncidentReport, out: &mut dyn Write) -> io::Result<()> {
    let IncidentReport { severity, root_cause, verdict, confidence, .. } = incident;
    writeln!(out, "## {severity}: {}\n", escape(&incident.summary))?;
    writeln!(out, "- root cause: `{root_cause}`, {} ({confidence:.2})", verdict.as_str())?;
    writeln!(out, "- since: {}", moment(incident.opened_at))?;
    match incident.resolved_at {
        Some(at) => writeln!(out, "- resolved: {}", moment(at))?,
        None => writeln!(out, "- still firing")?,
    }
    writeln!(out, "\n{}\n", escape(&incident.details))?;
    writeln!(out, "| time | node | resource | says |\n|---|---|---|---|")?;
    for evidence in &incident.evidence {
        let (at, node) = (moment(evidence.at), escape(evidence.node.as_str()));
        let says = escape(&evidence.says);
        writeln!(out, "| {at} | {node} | {} | {says} |", evidence.resource)?;
    }
    writeln!(out)?;
    for (number, advice) in incident.recommendations.iter().enumerate() {
        writeln!(out, "{}. {}", number + 1, advice.action)?;
        if let Some(command) = &advice.command {
            // A longer fence than any run of backticks in a name could close.
            writeln!(out, "   ````sh\n   {command}\n   ````")?;
        }
    }
    for bug in &incident.known_bugs {
        writeln!(out, "- Known bug that looks like this, {}: {}", bug.id, bug.in_one_line())?;
    }
    writeln!(out)
}

/// Takes from text everything that Markdown, or HTML in it, would act on.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '!' | '~' => out.extend(['\\', c]),
            '@' => out.push_str("&#64;"),
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
    fn a_hostile_name_does_nothing() {
        assert_eq!(
            escape("[x](http://e) | <img> @all `a`\n"),
            r"\[x\](http://e) \| &lt;img&gt; &#64;all \`a\`"
        );
    }
}
