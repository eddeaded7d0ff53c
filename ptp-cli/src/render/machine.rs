//! JSON, schema `ptp-report/v1`.

use std::io::{self, Write};

use ptp_diagnostics::Report;
use serde::Serialize;

/// One document.
pub(crate) fn json(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report)?;
    writeln!(out)
}

/// One document per line, each with its `type`: `input`, `node`, `incident`, `alert`, `blind_window`,
/// `stability`.
pub(crate) fn ndjson(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Head<'a> {
        schema: &'a str,
        generator: &'a ptp_diagnostics::report::Generator,
        #[serde(flatten)]
        input: &'a ptp_diagnostics::report::Input,
    }
    let head = Head { schema: &report.schema, generator: &report.generator, input: &report.input };
    line("input", &head, out)?;
    report.nodes.iter().try_for_each(|node| line("node", node, out))?;
    report.incidents.iter().try_for_each(|incident| line("incident", incident, out))?;
    report.alerts.iter().try_for_each(|alert| line("alert", alert, out))?;
    report.blind_windows.iter().try_for_each(|window| line("blind_window", window, out))?;
    let mut stability = report.stability.iter().flatten();
    stability.try_for_each(|clock| line("stability", clock, out))
}

fn line<T: Serialize>(kind: &'static str, body: &T, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'a, T> {
        #[serde(rename = "type")]
        kind: &'static str,
        #[serde(flatten)]
        body: &'a T,
    }
    serde_json::to_writer(&mut *out, &Line { kind, body })?;
    writeln!(out)
}
