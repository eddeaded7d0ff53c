//! Laws that hold for any story.

use std::time::Duration;

use proptest::prelude::*;
use ptp_diagnostics::{Engine, Settings};
use ptp_events::{Event, Input, NodeName, Received};

use crate::fixture::event;

/// One line of a story after the gap given.
fn arb_step() -> impl Strategy<Value = (u32, String)> {
    let node = prop_oneof!["gm", "w1", "w2", "w3"];
    let said = prop_oneof![
        3 => ("(lock|os)", "(LOCKED|HOLDOVER|FREERUN|FAULTY)", -3000i64..3000)
            .prop_map(|(r, s, o)| format!("{r} {s} {o}")),
        1 => "(lock|os) FREERUN down",
        1 => "sync (LOCKED|HOLDOVER|FREERUN)",
        1 => "class (6|7|135|140|248|255)",
        1 => "(lock|os|sync) placeholder",
        1 => "gnss (SYNCHRONIZED fix=3|FAILURE-NOFIX fix=0|ANTENNA-SHORT-CIRCUIT fix=0)",
        1 => "synce (LOCKED|HOLDOVER)",
    ];
    // Mostly short gaps, some that let timers run out.
    let gap = prop_oneof![4 => 1u32..3000, 1 => 3000u32..400_000];
    (gap, node, said).prop_map(|(gap, node, said)| (gap, format!("{node} {said}")))
}

fn arb_story() -> impl Strategy<Value = Vec<(Event, Received)>> {
    proptest::collection::vec(arb_step(), 1..60).prop_map(|steps| {
        let mut ms = 0;
        let mut events = Vec::new();
        for (number, (gap, line)) in steps.into_iter().enumerate() {
            ms += gap;
            let mut line = line;
            if line.starts_with('w') && line.contains("gnss") {
                line = line.replace("gnss", "lock").replace(" fix=3", "").replace(" fix=0", "");
            }
            events.push(event(&format!("{}.{:03} {line}", ms / 1000, ms % 1000), number));
        }
        events
    })
}

/// The report as it is written, but for the count of duplicates.
fn report(events: &[(Event, Received)], settings: &Settings) -> String {
    let mut engine = Engine::new(settings.clone());
    for (event, received) in events {
        engine.handle_event(event.clone(), *received);
    }
    finish(engine)
}

fn finish(mut engine: Engine) -> String {
    if let Some(latest) = engine.latest() {
        engine.finish(latest.after(Duration::from_secs(700)));
    }
    let mut report = engine.report();
    report.input.duplicates = 0;
    serde_json::to_string_pretty(&report).unwrap()
}

/// Compares two reports; shows the first lines that differ rather than both in full.
fn same(got: &str, expect: &str) -> Result<(), TestCaseError> {
    let differ = got.lines().zip(expect.lines()).position(|(got, expect)| got != expect);
    let Some(line) = differ.or((got.len() != expect.len()).then_some(0)) else {
        return Ok(());
    };
    let part = |text: &str| {
        text.lines().skip(line.saturating_sub(8)).take(12).collect::<Vec<_>>().join("\n")
    };
    Err(TestCaseError::fail(format!("got\n{}\nbut expected\n{}", part(got), part(expect))))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn the_same_story_gives_the_same_bytes(story in arb_story()) {
        let settings = Settings::default();
        same(&report(&story, &settings), &report(&story, &settings))?;
    }

    #[test]
    fn duplicates_change_nothing(
        story in arb_story(),
        again in proptest::collection::vec((any::<prop::sample::Index>(), 0u64..2000), 0..20),
    ) {
        let settings = Settings::default();
        let expect = report(&story, &settings);
        let mut doubled = story.clone();
        for (number, (index, late)) in again.into_iter().enumerate() {
            // Delivered once more, a little later, under another id.
            let (mut event, received) = story[index.index(story.len())].clone();
            event.id = ptp_events::EventId::new(&format!("z{number}")).unwrap();
            doubled.push((event, received.after(Duration::from_millis(late))));
        }
        // In the order in which they are received, but for what may be late.
        doubled.sort_by_key(|(_, received)| *received);
        let end = story.last().map(|(_, received)| *received);
        doubled.retain(|(_, received)| Some(*received) <= end);
        same(&report(&doubled, &settings), &expect)?;
    }

    #[test]
    fn two_seconds_of_disorder_change_nothing(
        story in arb_story(),
        delays in proptest::collection::vec(0u64..1000, 60),
    ) {
        let settings = Settings::default();
        let expect = report(&story, &settings);
        let mut shuffled: Vec<_> = story
            .iter()
            .zip(&delays)
            .map(|(item, delay)| (item.1.after(Duration::from_millis(*delay * 2)), item.clone()))
            .collect();
        shuffled.sort_by_key(|(arrives, _)| *arrives);
        let shuffled: Vec<_> = shuffled.into_iter().map(|(_, item)| item).collect();
        same(&report(&shuffled, &settings), &expect)?;
    }

    /// Live, time is told as it passes and events come in order; nothing need be held back.
    #[test]
    fn live_gives_what_replay_gives(story in arb_story(), tick in 100u64..5000) {
        let expect = report(&story, &Settings::default());
        let live = Settings { reorder_window: Duration::ZERO, ..Settings::default() };
        let mut engine = Engine::new(live);
        let mut now = story[0].1;
        for (event, received) in &story {
            while now.after(Duration::from_millis(tick)) < *received {
                now = now.after(Duration::from_millis(tick));
                engine.handle_time(now);
            }
            engine.handle_event(event.clone(), *received);
        }
        same(&finish(engine), &expect)?;
    }

    /// Being asked at its own times, or only at the end, makes no difference.
    #[test]
    fn timers_may_be_called_late(story in arb_story()) {
        let expect = report(&story, &Settings::default());
        let live = Settings { reorder_window: Duration::ZERO, ..Settings::default() };
        let mut engine = Engine::new(live);
        for (event, received) in &story {
            while let Some(due) = engine.poll_timeout().filter(|due| due < received) {
                engine.handle_time(due);
            }
            engine.handle_event(event.clone(), *received);
        }
        same(&finish(engine), &expect)?;
    }

    /// A silent stretch at the end may age a finding but never takes an incident back.
    #[test]
    fn waiting_never_unsays_an_incident(story in arb_story(), wait in 0u64..10_000) {
        let mut engine = Engine::new(Settings::default());
        for (event, received) in &story {
            engine.handle_event(event.clone(), *received);
        }
        let end = story[story.len() - 1].1;
        engine.finish(end);
        let before: Vec<_> = engine.report().incidents.into_iter().map(|i| i.id).collect();
        engine.finish(end.after(Duration::from_secs(wait)));
        let after: Vec<_> = engine.report().incidents.into_iter().map(|i| i.id).collect();
        prop_assert!(before.iter().all(|id| after.contains(id)));
    }

    /// When it happens makes no difference, only what and in what order.
    #[test]
    fn shifting_time_shifts_the_diagnosis(story in arb_story(), seconds in 1u64..100_000_000) {
        let by = Duration::from_secs(seconds);
        let shifted: Vec<_> = story
            .iter()
            .map(|(event, received)| {
                let stamped = event.stamped.map(|stamped| stamped.after(by));
                (Event { stamped, ..event.clone() }, received.after(by))
            })
            .collect();
        let begin = story[0].1;
        same(&outline(&shifted, begin.after(by)), &outline(&story, begin))?;
    }

    /// What a node is called makes no difference.
    #[test]
    fn renaming_nodes_renames_the_diagnosis(story in arb_story()) {
        let renamed: Vec<_> = story
            .iter()
            .map(|(event, received)| {
                let node = NodeName::new(&format!("{}-renamed", event.node)).unwrap();
                (Event { node, ..event.clone() }, *received)
            })
            .collect();
        let begin = story[0].1;
        same(&outline(&renamed, begin).replace("-renamed", ""), &outline(&story, begin))?;
    }

    /// Two faults one after the other are diagnosed as each alone.
    #[test]
    fn stories_one_after_the_other_are_told_as_each_alone(
        cables in (20u32..2000, 20u32..2000),
        nodes in (0u32..3, 0u32..3),
        gap in 4000u32..50_000,
    ) {
        let later = 100 + cables.0 + gap;
        let first = lost_cable(nodes.0, 100, cables.0);
        let second = lost_cable(nodes.1, later, cables.1);
        let healthy = healthy(3);
        let begin = healthy[0].1;
        let told = |faults: &[&[(Event, Received)]]| {
            let mut events = healthy.clone();
            events.extend(faults.iter().flat_map(|fault| fault.iter().cloned()));
            outline(&events, begin)
        };
        let each = format!("{}\n{}", told(&[&first]), told(&[&second]));
        same(&told(&[&first, &second]), &each)?;
    }

    /// Nodes that are well change nothing for those that are not.
    #[test]
    fn healthy_nodes_change_nothing(cable in 20u32..2000, more in 1u32..20) {
        let story = |others: u32| {
            let mut events = healthy(3 + others);
            events.extend(lost_cable(1, 100, cable));
            events
        };
        let begin = story(0)[0].1;
        same(&outline(&story(more), begin), &outline(&story(0), begin))?;
    }
}

/// So many nodes say that they are locked.
fn healthy(nodes: u32) -> Vec<(Event, Received)> {
    (0..nodes).map(|n| event(&format!("0.{n:03} w{n} lock LOCKED 3"), n as usize)).collect()
}

/// A node loses its cable for so many seconds and 90 more.
fn lost_cable(node: u32, at: u32, seconds: u32) -> Vec<(Event, Received)> {
    let said = [(0, "HOLDOVER 4"), (seconds, "FREERUN 4"), (seconds + 90, "LOCKED 9")];
    said.into_iter()
        .map(|(after, said)| event(&format!("{} w{node} lock {said}", at + after), 100))
        .collect()
}

/// Every incident in short, with times relative to `begin`.
fn outline(events: &[(Event, Received)], begin: Received) -> String {
    let mut engine = Engine::new(Settings::default());
    for (event, received) in events {
        engine.handle_event(event.clone(), *received);
    }
    let latest = engine.latest().unwrap();
    engine.finish(latest.after(Duration::from_secs(700)));
    let report = engine.report();
    let mut lines: Vec<_> = report
        .incidents
        .iter()
        .map(|incident| {
            let (opened, known) =
                (incident.opened_at.since(begin), incident.detected_at.since(begin));
            let over = incident.resolved_at.map(|at| at.since(begin));
            let (cause, severity) = (incident.root_cause, incident.severity);
            let (origin, affected) = (&incident.origin_nodes, &incident.affected_nodes);
            format!("{opened:010.3?} {known:?} {over:?} {cause} {severity} {origin:?} {affected:?}")
        })
        .collect();
    lines.sort();
    lines.join("\n")
}

/// What may happen to a node, in the order it happens.
fn arb_life() -> impl Strategy<Value = Vec<(u32, Life)>> {
    let clock = prop_oneof!["lock", "os"];
    let state = prop_oneof![4 => Just("LOCKED"), 1 => Just("HOLDOVER"), 1 => Just("FREERUN")];
    let step = prop_oneof![
        6 => (clock, state).prop_map(|(clock, state)| Life::Says(clock, state)),
        1 => Just(Life::SaysAgain),
        1 => Just(Life::Blind),
        1 => Just(Life::Sighted),
        2 => Just(Life::Gone),
        1 => Just(Life::Missed),
        1 => Just(Life::Restart),
    ];
    // Some gaps are long enough to be silence.
    let gap = prop_oneof![6 => 1u32..30_000, 1 => 300_000u32..900_000];
    proptest::collection::vec((gap, step), 1..60)
}

#[derive(Clone, Debug)]
enum Life {
    Says(String, &'static str),
    /// The last word of a clock is delivered again.
    SaysAgain,
    Blind,
    Sighted,
    Gone,
    /// Something was missed: it says nothing about now.
    Missed,
    /// The agent stops, and starts anew from its journal.
    Restart,
}

/// What the engine is given.
#[derive(Clone, Debug, PartialEq)]
enum Word {
    Event(Box<Event>),
    Input(Input),
}

impl Word {
    fn hand_to(&self, engine: &mut Engine, now: Received) {
        match self {
            Self::Event(event) => engine.handle_event((**event).clone(), now),
            Self::Input(input) => engine.handle_input(input, now).unwrap(),
        }
    }

    /// Which clock it is about, or that it is about the node's visibility; nothing when it says
    /// nothing about now.
    fn about(&self) -> Option<&str> {
        match self {
            Self::Event(event) => Some(event.resource.name()),
            Self::Input(Input::Missed { .. } | Input::Resumed) => None,
            Self::Input(_) => Some("visibility"),
        }
    }
}

proptest! {
    /// A node's state follows from the last word of each clock and the last word on whether it can
    /// be observed, whatever came before.
    #[test]
    fn a_state_is_the_last_word_of_each_clock_and_on_its_visibility(life in arb_life()) {
        let node = NodeName::new("w1").unwrap();
        let blind = |why: &str| Input::Blind { node: node.clone(), why: why.to_owned() };
        let settings = Settings { reorder_window: Duration::ZERO, ..Settings::default() };
        let mut engine = Engine::new(settings.clone());
        let mut journal: Vec<(Word, Received)> = Vec::new();
        let mut words: Vec<(Word, Received)> = Vec::new();
        let mut ms = 0;
        for (number, (gap, step)) in life.into_iter().enumerate() {
            ms += gap;
            let now = crate::fixture::at(f64::from(ms) / 1000.0);
            // It may have fallen silent: that is a word on its visibility too.
            let was_blind = is_blind(&engine);
            engine.finish(now);
            if let (None, Some(from)) = (was_blind, is_blind(&engine)) {
                words.push((Word::Input(blind("silent")), from));
            }
            let word = match step {
                Life::Says(clock, state) => {
                    let line = format!("{}.{:03} w1 {clock} {state} 3", ms / 1000, ms % 1000);
                    Word::Event(event(&line, number).0.into())
                }
                Life::SaysAgain => {
                    match journal.iter().rev().find(|(word, _)| matches!(word, Word::Event(_))) {
                        Some((word, _)) => word.clone(),
                        None => continue,
                    }
                }
                Life::Blind => Word::Input(blind("refused")),
                Life::Sighted => Word::Input(Input::Sighted { node: node.clone() }),
                Life::Gone => Word::Input(Input::Gone { node: node.clone() }),
                Life::Missed => Word::Input(Input::Missed {
                    node: node.clone(),
                    since: crate::fixture::at((f64::from(ms) / 1000.0 - 1.0).max(0.0)),
                    why: "forgotten".to_owned(),
                }),
                Life::Restart => {
                    engine = Engine::new(settings.clone());
                    for (word, received) in &journal {
                        word.hand_to(&mut engine, *received);
                    }
                    Word::Input(Input::Resumed)
                }
            };
            word.hand_to(&mut engine, now);
            let again = matches!(word, Word::Event(_)) && journal.iter().any(|(w, _)| *w == word);
            journal.push((word.clone(), now));
            let gone = Word::Input(Input::Gone { node: node.clone() });
            match words.iter().rev().find(|(word, _)| word.about().is_some()) {
                // What was said before shows that a node is there that had left, and nothing else.
                Some((last, _)) if again && *last == gone => {
                    words.push((Word::Input(Input::Sighted { node: node.clone() }), now));
                }
                _ if again => {}
                _ => words.push((word, now)),
            }
        }
        let Some(&(_, end)) = journal.last() else { return Ok(()) };
        engine.finish(end);

        let mut told = Engine::new(settings);
        for (at, (word, received)) in words.iter().enumerate() {
            let later = || words[at + 1..].iter().any(|(later, _)| later.about() == word.about());
            if word.about().is_some() && !later() {
                word.hand_to(&mut told, *received);
            }
        }
        told.finish(end);
        let state = |engine: &Engine| {
            engine.report().nodes.iter().find(|n| n.node == node).map(|n| n.state).unwrap_or_default()
        };
        prop_assert_eq!(state(&engine), state(&told), "{:#?}", words);
    }
}

/// Since when the node is blind.
fn is_blind(engine: &Engine) -> Option<Received> {
    let report = engine.report();
    report.blind_windows.iter().find(|window| window.to.is_none()).map(|window| window.from)
}
