//! Laws that hold for any story.

use std::time::Duration;

use proptest::prelude::*;
use ptp_diagnostics::{Engine, Settings};
use ptp_events::{Event, Received};

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
}
