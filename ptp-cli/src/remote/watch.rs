//! `ptp-cli watch`: an agent's fleet in a terminal, kept up to date.
//!
//! What is shown follows from what was told and which keys were pressed, [`Watch`]; a thread asks the agent.

mod draw;

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use anyhow::ensure;
use ptp_api::{ClockSamples, NewSilence, PageQuery};
use ptp_diagnostics::report::{IncidentReport, NodeReport};
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::Agent;
use crate::Outcome;
use crate::args::{AgentArgs, WatchArgs};

/// How long a key is waited for before the picture is drawn again.
const FRAME: Duration = Duration::from_millis(200);

/// What the agent said.
#[derive(Debug, Default)]
struct Told {
    incidents: Vec<IncidentReport>,
    nodes: Vec<NodeReport>,
    /// Of the node that is looked at.
    samples: Vec<ClockSamples>,
}

/// What is asked of the thread that asks the agent.
#[derive(Debug, Eq, PartialEq)]
enum Ask {
    /// Look again, at this node as well.
    Look(Option<String>),
    /// Tell nobody of this cause on this node for an hour.
    Silence { node: String, root_cause: String },
}

/// What comes back.
enum Answer {
    Told(Told),
    Done(String),
    Failed(String),
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum View {
    #[default]
    Incidents,
    Incident,
    Nodes,
    Node,
}

/// Everything on the screen.
#[derive(Debug, Default)]
struct Watch {
    agent: String,
    view: View,
    told: Told,
    selected: usize,
    /// How far the text of an incident is scrolled.
    scrolled: u16,
    /// Whether the next `y` silences.
    silencing: bool,
    message: String,
    over: bool,
}

pub(crate) fn run(args: &WatchArgs) -> anyhow::Result<Outcome> {
    use io::IsTerminal as _;
    ensure!(io::stdout().is_terminal(), "watch needs a terminal; `incidents` and `nodes` do not");
    // Who is not there, or does not let us in, is told of before the screen is taken.
    let first = ask(&Agent::new(&args.agent)?, &Ask::Look(None))?;
    let (asks, to_ask) = channel();
    let (answer, answers) = channel();
    let (agent, every) = (args.agent.clone(), args.every);
    std::thread::spawn(move || look(&agent, every, &to_ask, &answer));
    let mut watch = Watch { agent: args.agent.agent.clone(), ..Watch::default() };
    watch.handle_answer(first);
    ratatui::run(|terminal| -> io::Result<()> {
        while !watch.over {
            while let Ok(answer) = answers.try_recv() {
                watch.handle_answer(answer);
            }
            terminal.draw(|frame| watch.draw(frame))?;
            if event::poll(FRAME)?
                && let Event::Key(key) = event::read()?
                && let Some(ask) = watch.handle_key(key)
            {
                // The thread lives as long as this.
                let _ = asks.send(ask);
            }
        }
        Ok(())
    })?;
    Ok(Outcome::Healthy)
}

/// Asks the agent, again and again, and at once what is wanted at once.
fn look(args: &AgentArgs, every: Duration, asks: &Receiver<Ask>, answers: &Sender<Answer>) {
    let Ok(agent) = Agent::new(args) else { return };
    let mut node = None;
    let mut next = Ask::Look(None);
    loop {
        let answer = ask(&agent, &next).unwrap_or_else(|error| {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            Answer::Failed(causes.join(": "))
        });
        if answers.send(answer).is_err() {
            return;
        }
        next = match asks.recv_timeout(every) {
            Ok(Ask::Look(wanted)) => {
                node.clone_from(&wanted);
                Ask::Look(wanted)
            }
            Ok(other) => other,
            Err(_) => Ask::Look(node.clone()),
        };
    }
}

fn ask(agent: &Agent, ask: &Ask) -> anyhow::Result<Answer> {
    match ask {
        Ask::Look(node) => Ok(Answer::Told(Told {
            incidents: agent.incidents(false)?,
            nodes: agent.nodes()?,
            samples: match node {
                Some(node) => agent.asked(agent.client.samples(node, &PageQuery::default()))?.items,
                None => Vec::new(),
            },
        })),
        Ask::Silence { node, root_cause } => {
            let new = NewSilence {
                node: Some(node.clone()),
                root_cause: Some(root_cause.clone()),
                duration: Some("1h".to_owned()),
                comment: "from ptp-cli watch".to_owned(),
                created_by: whoami(),
                ..NewSilence::default()
            };
            let made = agent.asked(agent.client.silence(&new))?.silence;
            let until = ptp_diagnostics::text::moment(made.until);
            Ok(Answer::Done(format!("silenced until {until}")))
        }
    }
}

fn whoami() -> String {
    std::env::var("USER").unwrap_or_else(|_| "ptp-cli".to_owned())
}

impl Watch {
    fn handle_answer(&mut self, answer: Answer) {
        match answer {
            Answer::Told(told) => {
                // What was selected stays so, wherever it stands now.
                let (incident, node) = (self.incident_id(), self.node_name());
                self.told = told;
                let place = match self.view {
                    View::Incidents | View::Incident => {
                        self.told.incidents.iter().position(|i| Some(&i.id) == incident.as_ref())
                    }
                    View::Nodes | View::Node => {
                        self.told.nodes.iter().position(|n| Some(n.node.to_string()) == node)
                    }
                };
                self.selected = place.unwrap_or(self.selected).min(self.length().saturating_sub(1));
                if self.view == View::Incident && place.is_none() {
                    (self.view, self.message) = (View::Incidents, "it is over".to_owned());
                } else if self.message.starts_with("no answer") {
                    self.message.clear();
                }
            }
            Answer::Done(said) => self.message = said,
            Answer::Failed(why) => self.message = format!("no answer: {why}"),
        }
    }

    fn handle_key(&mut self, key: KeyEvent) -> Option<Ask> {
        if key.kind != KeyEventKind::Press {
            return None;
        }
        let silencing = std::mem::take(&mut self.silencing);
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => self.over = true,
            KeyCode::Char('q') => self.over = true,
            KeyCode::Char('y') if silencing => return self.silence(),
            KeyCode::Char('i') => self.show(View::Incidents),
            KeyCode::Char('n') => self.show(View::Nodes),
            KeyCode::Tab => self.show(match self.view {
                View::Incidents | View::Incident => View::Nodes,
                View::Nodes | View::Node => View::Incidents,
            }),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::PageDown => self.step(10),
            KeyCode::PageUp => self.step(-10),
            KeyCode::Esc | KeyCode::Backspace | KeyCode::Left => match self.view {
                View::Incident => self.view = View::Incidents,
                View::Node => self.view = View::Nodes,
                View::Incidents | View::Nodes => {}
            },
            KeyCode::Enter | KeyCode::Right => return self.enter(),
            KeyCode::Char('s') if self.incident().is_some() => {
                self.silencing = true;
                "silence it for an hour? y".clone_into(&mut self.message);
                return None;
            }
            _ => {}
        }
        if silencing {
            self.message.clear();
        }
        None
    }

    fn show(&mut self, view: View) {
        if self.view != view {
            (self.view, self.selected, self.scrolled) = (view, 0, 0);
        }
    }

    fn step(&mut self, by: isize) {
        if self.view == View::Incident {
            self.scrolled = self.scrolled.saturating_add_signed(i16::try_from(by).unwrap_or(0));
            return;
        }
        let last = self.length().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    fn enter(&mut self) -> Option<Ask> {
        match self.view {
            View::Incidents if self.incident().is_some() => {
                (self.view, self.scrolled) = (View::Incident, 0);
                None
            }
            View::Nodes => {
                let node = self.node_name()?;
                self.view = View::Node;
                Some(Ask::Look(Some(node)))
            }
            _ => None,
        }
    }

    fn silence(&mut self) -> Option<Ask> {
        let incident = self.incident()?;
        let node = incident.origin_nodes.first()?.to_string();
        Some(Ask::Silence { node, root_cause: incident.root_cause.code().to_owned() })
    }

    fn length(&self) -> usize {
        match self.view {
            View::Incidents | View::Incident => self.told.incidents.len(),
            View::Nodes | View::Node => self.told.nodes.len(),
        }
    }

    fn incident(&self) -> Option<&IncidentReport> {
        match self.view {
            View::Incidents | View::Incident => self.told.incidents.get(self.selected),
            View::Nodes | View::Node => None,
        }
    }

    fn incident_id(&self) -> Option<String> {
        self.incident().map(|incident| incident.id.clone())
    }

    fn node(&self) -> Option<&NodeReport> {
        match self.view {
            View::Nodes | View::Node => self.told.nodes.get(self.selected),
            View::Incidents | View::Incident => None,
        }
    }

    fn node_name(&self) -> Option<String> {
        self.node().map(|node| node.node.to_string())
    }
}

#[cfg(test)]
mod tests {
    use ptp_diagnostics::Report;
    use ptp_events::{Instance, Received, Resource};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::*;

    fn told() -> Told {
        let report = crate::remote::tests::gnss_loss();
        let Report { incidents, nodes, .. } = report;
        let at = incidents[0].opened_at;
        let samples =
            (0..30_u32).map(|n| (at.after(Duration::from_secs(n.into())), 5 * i64::from(n)));
        let samples = samples.collect::<Vec<(Received, i64)>>();
        Told {
            incidents,
            nodes,
            samples: vec![ClockSamples::new(
                Resource::LockState,
                Instance::new("ens2fx/master").unwrap(),
                samples,
                100,
            )],
        }
    }

    fn press(watch: &mut Watch, code: KeyCode) -> Option<Ask> {
        watch.handle_key(KeyEvent::new(code, KeyModifiers::NONE))
    }

    fn screen(watch: &Watch) -> String {
        let mut terminal = Terminal::new(TestBackend::new(80, 20)).unwrap();
        terminal.draw(|frame| watch.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn keys_lead_through_all_that_is_known() {
        let mut watch = Watch { agent: "http://a".to_owned(), ..Watch::default() };
        watch.handle_answer(Answer::Told(told()));
        insta::assert_snapshot!("incidents", screen(&watch));
        assert_eq!(press(&mut watch, KeyCode::Enter), None);
        insta::assert_snapshot!("incident", screen(&watch));
        press(&mut watch, KeyCode::Char('n'));
        insta::assert_snapshot!("nodes", screen(&watch));
        let asked = press(&mut watch, KeyCode::Enter);
        assert_eq!(asked, Some(Ask::Look(Some("gmnode".to_owned()))));
        insta::assert_snapshot!("node", screen(&watch));
        press(&mut watch, KeyCode::Char('q'));
        assert!(watch.over);
    }

    #[test]
    fn silencing_is_confirmed() {
        let mut watch = Watch::default();
        watch.handle_answer(Answer::Told(told()));
        assert_eq!(press(&mut watch, KeyCode::Char('s')), None);
        assert_eq!(press(&mut watch, KeyCode::Char('x')), None, "anything else is no");
        assert_eq!(press(&mut watch, KeyCode::Char('y')), None);
        press(&mut watch, KeyCode::Char('s'));
        let asked = press(&mut watch, KeyCode::Char('y'));
        let (node, root_cause) = ("gmnode".to_owned(), "gnss-signal-loss".to_owned());
        assert_eq!(asked, Some(Ask::Silence { node, root_cause }));
    }

    #[test]
    fn what_is_over_leaves_and_an_agent_that_is_gone_is_told_of() {
        let mut watch = Watch::default();
        watch.handle_answer(Answer::Told(told()));
        press(&mut watch, KeyCode::Enter);
        watch.handle_answer(Answer::Failed("refused".to_owned()));
        assert!(screen(&watch).contains("no answer: refused"));
        watch.handle_answer(Answer::Told(Told::default()));
        assert_eq!((watch.view, watch.selected), (View::Incidents, 0));
        assert!(screen(&watch).contains("Nothing is firing"));
    }
}
