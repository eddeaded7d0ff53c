//! The figures as a table, and as docs/quality.md.

use std::fmt::Write as _;

use super::tally::{Forecasts, Tally};

const HEAD: &str = "\
| kind | scenarios | recall | unpublished found | precision | top-1 | alerts per fault | delay, median | delay, p95 |
|---|--:|--:|--:|--:|--:|--:|--:|--:|
";

const FORECAST_HEAD: &str = "\
| kind | measured | error | band holds | not measured, declared | error | band holds | not declared | error | band holds |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|
";

/// One row per source.
pub(crate) fn sources(rows: &[(&str, Tally)]) -> String {
    let mut text = String::from(
        "| told by | scenarios | recall | precision | top-1 | alerts per fault | alerts while all is well |\n\
         |---|--:|--:|--:|--:|--:|--:|\n",
    );
    let figure =
        |figure: Option<f64>| figure.map_or("–".to_owned(), |figure| format!("{figure:.3}"));
    for (name, tally) in rows {
        let (recall, precision) = (figure(tally.recall()), figure(tally.precision()));
        let (top1, alerts) = (figure(tally.top1()), figure(tally.alerts_per_fault()));
        let (scenarios, quiet) = (tally.scenarios, tally.quiet_alerts);
        let scenarios = scenarios.to_string();
        let cells: [&str; 6] = [name, &scenarios, &recall, &precision, &top1, &alerts];
        text += &cells.map(|cell| format!("| {cell} ")).concat();
        text += &["| ", &quiet.to_string(), " |\n"].concat();
    }
    text
}

/// One row per kind and one for all.
pub(crate) fn table(rows: &[(&str, Tally)], total: &Tally) -> String {
    let mut out = HEAD.to_owned();
    for (name, tally) in rows.iter().map(|(name, tally)| (*name, tally)).chain([("**all**", total)])
    {
        row(&mut out, name, tally);
    }
    out
}

fn row(out: &mut String, name: &str, tally: &Tally) {
    let share = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.3}"));
    let seconds = |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{v:.1} s"));
    let hidden = match tally.hidden {
        0 => "–".to_owned(),
        hidden => format!("{}/{hidden}", tally.hidden_found),
    };
    let alerts = match tally.alerts_per_fault() {
        Some(alerts) => format!("{alerts:.2}"),
        None => format!("{} in all", tally.alerts),
    };
    writeln!(
        out,
        "| {name} | {} | {} | {hidden} | {} | {} | {alerts} | {} | {} |",
        tally.scenarios,
        share(tally.recall()),
        share(tally.precision()),
        share(tally.top1()),
        seconds(tally.delay(0.5)),
        seconds(tally.delay(0.95)),
    )
    .unwrap_or_default();
}

/// The forecasts of holdovers: one row per kind that has any, and one for all.
///
/// What rests on measurements and what rests on a model alone stand apart: one must not hide the
/// other.
pub(crate) fn forecasts(rows: &[(&str, Tally)], total: &Tally) -> String {
    let percent =
        |value: Option<f64>| value.map_or("–".to_owned(), |v| format!("{:.0} %", v * 1e2));
    let mut out = FORECAST_HEAD.to_owned();
    let rows = rows.iter().map(|(name, tally)| (*name, tally)).chain([("**all**", total)]);
    for (name, tally) in rows.filter(|(_, tally)| tally.uninformed.count() > 0) {
        let cells = |sort: &Forecasts| {
            format!("{} | {} | {}", sort.count(), percent(sort.error()), percent(sort.coverage()))
        };
        let (measured, declared) = (cells(&tally.measured), cells(&tally.declared));
        writeln!(out, "| {name} | {measured} | {declared} | {} |", cells(&tally.model))
            .unwrap_or_default();
    }
    let all = |sort: &Forecasts| {
        format!("{} ({} held by the band)", percent(sort.error()), percent(sort.coverage()))
    };
    writeln!(
        out,
        "\nThe median error over all {}: {} with declared oscillators, {} without.",
        total.uninformed.count(),
        all(&total.informed),
        all(&total.uninformed)
    )
    .unwrap_or_default();
    out
}

/// The whole page.
pub(crate) fn page(rows: &[(&str, Tally)], total: &Tally) -> String {
    format!(
        "<!-- Written by `cargo xtask score --seeds score`. Change the sources instead. -->\n{}\n{}\n{}\n{}\n{}\n{}\n{}",
        include_str!("intro.md"),
        table(rows, total),
        include_str!("calibration.md"),
        total.calibration.table(),
        include_str!("forecasts.md"),
        forecasts(rows, total),
        include_str!("limits.md")
    )
}
