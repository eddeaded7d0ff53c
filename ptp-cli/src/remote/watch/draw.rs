//! The screen.

use ptp_diagnostics::report::{IncidentReport, NodeReport};
use ptp_diagnostics::text::{lasting, moment};
use ptp_diagnostics::{NodeState, Severity};
use ptp_events::Received;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::{Line, Span};
use ratatui::widgets::{
    Axis, Block, Chart, Dataset, GraphType, Paragraph, Row, Table, TableState, Wrap,
};

use super::{View, Watch};

const KEYS: &str = "i incidents  n nodes  ↑↓ choose  Enter open  Esc back  s silence  q quit";

const fn of_severity(severity: Severity) -> Color {
    match severity {
        Severity::Critical => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Info => Color::Cyan,
    }
}

const fn of_state(state: NodeState) -> Color {
    match state {
        NodeState::Locked => Color::Green,
        NodeState::Holdover => Color::Yellow,
        NodeState::Freerun => Color::Red,
        NodeState::Unknown => Color::DarkGray,
    }
}

impl Watch {
    pub(super) fn draw(&self, frame: &mut Frame<'_>) {
        let [head, body, foot] =
            Layout::vertical([Constraint::Length(1), Constraint::Min(3), Constraint::Length(1)])
                .areas(frame.area());
        frame.render_widget(self.heading(), head);
        match self.view {
            View::Incidents => self.incidents(frame, body),
            View::Incident => self.one_incident(frame, body),
            View::Nodes => self.nodes(frame, body),
            View::Node => self.one_node(frame, body),
        }
        let said = if self.message.is_empty() { KEYS } else { &self.message };
        frame.render_widget(Paragraph::new(said).style(Style::new().fg(Color::DarkGray)), foot);
    }

    fn heading(&self) -> Line<'_> {
        let mut spans = vec![Span::styled(&*self.agent, Modifier::BOLD), Span::raw("  ")];
        let states =
            [NodeState::Freerun, NodeState::Holdover, NodeState::Locked, NodeState::Unknown];
        for state in states {
            let count = self.told.nodes.iter().filter(|node| node.state == state).count();
            if count > 0 {
                let text = format!("{count} {}  ", state.as_str());
                spans.push(Span::styled(text, Style::new().fg(of_state(state))));
            }
        }
        Line::from(spans)
    }

    fn incidents(&self, frame: &mut Frame<'_>, area: Rect) {
        let block = Block::bordered().title("Firing");
        if self.told.incidents.is_empty() {
            frame.render_widget(Paragraph::new("Nothing is firing.").block(block), area);
            return;
        }
        let row = |incident: &IncidentReport| {
            Row::new([
                incident.severity.as_str().to_owned(),
                moment(incident.opened_at),
                incident.summary.clone(),
            ])
            .style(Style::new().fg(of_severity(incident.severity)))
        };
        let widths = [Constraint::Length(9), Constraint::Length(27), Constraint::Min(10)];
        let table = Table::new(self.told.incidents.iter().map(row), widths).block(block);
        self.table(frame, area, table);
    }

    fn table(&self, frame: &mut Frame<'_>, area: Rect, table: Table<'_>) {
        let mut state = TableState::default().with_selected(Some(self.selected));
        let table = table.row_highlight_style(Modifier::REVERSED);
        frame.render_stateful_widget(table, area, &mut state);
    }

    fn one_incident(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(incident) = self.incident() else { return };
        let mut lines = vec![
            Line::styled(&*incident.summary, Style::new().fg(of_severity(incident.severity))),
            Line::raw(format!(
                "{}, {} (confidence {:.2}), since {}",
                incident.root_cause.code(),
                incident.verdict.as_str(),
                incident.confidence,
                moment(incident.opened_at)
            )),
        ];
        if let Some(forecast) = &incident.forecast {
            lines.push(Line::raw(format!(
                "{} ns {} {}",
                forecast.limit_ns,
                if forecast.model == "measured" { "reached at" } else { "may be reached at" },
                moment(forecast.at)
            )));
        }
        lines.extend([Line::raw(""), Line::raw(&*incident.details), Line::raw("")]);
        lines.push(Line::styled("How we know", Modifier::BOLD));
        let said = incident.evidence.iter().map(|evidence| {
            let against = if evidence.supports { "" } else { " (speaks against it)" };
            let (node, says) = (&evidence.node, &evidence.says);
            Line::raw(format!("  {}  {node}: {says}{against}", moment(evidence.at)))
        });
        lines.extend(said);
        lines.extend([Line::raw(""), Line::styled("What to do", Modifier::BOLD)]);
        for (number, advice) in (1..).zip(&incident.recommendations) {
            lines.push(Line::raw(format!("  {number}. {}", advice.in_one_line())));
        }
        let text = Paragraph::new(lines)
            .block(Block::bordered().title("Incident"))
            .wrap(Wrap { trim: false })
            .scroll((self.scrolled, 0));
        frame.render_widget(text, area);
    }

    fn nodes(&self, frame: &mut Frame<'_>, area: Rect) {
        let row = |node: &NodeReport| {
            let share = node.availability.map_or_else(String::new, |share| {
                format!("LOCKED {:.2} % of the time", share * 100.0)
            });
            let (role, state) = (node.role.as_str().to_owned(), node.state.as_str().to_owned());
            Row::new([node.node.to_string(), role, state, share])
                .style(Style::new().fg(of_state(node.state)))
        };
        let widths = [
            Constraint::Min(20),
            Constraint::Length(8),
            Constraint::Length(9),
            Constraint::Length(28),
        ];
        let table = Table::new(self.told.nodes.iter().map(row), widths)
            .block(Block::bordered().title("Nodes"));
        self.table(frame, area, table);
    }

    fn one_node(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(node) = self.node() else { return };
        let rows = u16::try_from(node.clocks.len()).unwrap_or(u16::MAX).min(8) + 2;
        let [above, below] =
            Layout::vertical([Constraint::Length(rows), Constraint::Min(5)]).areas(area);
        let row = |clock: &ptp_diagnostics::report::ClockReport| {
            Row::new([
                clock.instance.to_string(),
                clock.resource.to_string(),
                clock.state.as_ref().map_or_else(String::new, ToString::to_string),
                clock.offset_ns.map_or_else(String::new, |offset| format!("{} ns", offset.last)),
            ])
        };
        let widths = [
            Constraint::Min(16),
            Constraint::Length(20),
            Constraint::Length(14),
            Constraint::Length(12),
        ];
        let title = format!("{} {}", node.node, node.state.as_str());
        let table = Table::new(node.clocks.iter().map(row), widths);
        frame.render_widget(table.block(Block::bordered().title(title)), above);
        self.curves(frame, below);
    }

    /// The offsets of the node's PTP clocks over the last hour.
    fn curves(&self, frame: &mut Frame<'_>, area: Rect) {
        let all = || self.told.samples.iter().flat_map(|clock| &clock.samples);
        let (Some(first), Some(last)) =
            (all().map(|(at, _)| *at).min(), all().map(|(at, _)| *at).max())
        else {
            let text = Paragraph::new("No offsets of the last hour.");
            frame.render_widget(text.block(Block::bordered().title("Offset")), area);
            return;
        };
        let x = |at: Received| at.since(first).as_secs_f64();
        let points: Vec<Vec<(f64, f64)>> = self
            .told
            .samples
            .iter()
            .map(|clock| clock.samples.iter().map(|(at, ns)| (x(*at), *ns as f64)).collect())
            .collect();
        let most = all().map(|(_, ns)| ns.unsigned_abs()).max().unwrap_or(1).max(1) as f64;
        let colours = [Color::Blue, Color::Magenta, Color::Cyan, Color::Green];
        let sets = self.told.samples.iter().zip(&points).zip(colours.into_iter().cycle());
        let sets = sets.map(|((clock, points), colour)| {
            Dataset::default()
                .name(clock.instance.as_str())
                .marker(Marker::Braille)
                .graph_type(GraphType::Line)
                .style(Style::new().fg(colour))
                .data(points)
        });
        let span = x(last).max(1.0);
        let title = format!("Offset in ns, {} until {}", lasting(last.since(first)), moment(last));
        let chart = Chart::new(sets.collect())
            .block(Block::bordered().title(title))
            .x_axis(Axis::default().bounds([0.0, span]))
            .y_axis(Axis::default().bounds([-most, most]).labels([
                format!("-{most}"),
                "0".to_owned(),
                format!("{most}"),
            ]));
        frame.render_widget(chart, area);
    }
}
