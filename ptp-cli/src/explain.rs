//! `ptp-cli explain`: the manual.

use std::io::Write;

use ptp_diagnostics::{BUILT_IN, manual};

use crate::Outcome;
use crate::args::ExplainArgs;

pub(crate) fn run(args: &ExplainArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let bold = anstyle::Style::new().bold();
    let Some(code) = &args.code else {
        for kind in ["finding", "root cause"] {
            writeln!(out, "{bold}{kind}s{bold:#}")?;
            for page in manual::all(BUILT_IN).iter().filter(|page| page.kind == kind) {
                writeln!(out, "  {:<26}{}", page.code, page.title)?;
            }
        }
        return Ok(Outcome::Healthy);
    };
    let pages = manual::pages(BUILT_IN, code);
    if pages.is_empty() {
        let known: Vec<_> = manual::all(BUILT_IN).iter().map(|page| page.code).collect();
        anyhow::bail!("there is no finding or root cause `{code}`; there are {}", known.join(", "));
    }
    for (at, page) in pages.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{bold}{}{bold:#} ({}): {}\n", page.code, page.kind, page.title)?;
        writeln!(out, "{}", page.text)?;
    }
    out.flush()?;
    Ok(Outcome::Healthy)
}
