//! `/api/v1/nodes/{node}/history`: what a node's clocks did in a stretch of time, from the journal.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use ptp_api::{
    Change, ClockHistory, History, HistoryQuery, MOST_POINTS, OffsetFigures, Source, StateTimes,
};
use ptp_diagnostics::NodeState;
use ptp_diagnostics::curve::Curve;
use ptp_diagnostics::report::{BlindWindow, ClockReport, NodeReport};
use ptp_events::journal::{JournalError, Query};
use ptp_events::{Event, Instance, NodeName, Received, Resource, SyncState};
use ptp_store::Store;

use super::super::parameters::{Asked, time};
use super::nodes::{known, unanswered};
use super::{Answer, Api, Problem, read};

/// How far is looked back, unless asked otherwise.
const BACK: Duration = Duration::from_hours(1);
/// How many entries of the journal are read at most: some 10 MB.
const MOST_ENTRIES: usize = 50_000;
/// How many at a time.
const PAGE: usize = 5_000;
/// How many of a clock's changes are told.
const MOST_CHANGES: usize = 20;

pub(super) async fn history(
    State(api): State<Api>,
    Path(name): Path<String>,
    Asked(query): Asked<HistoryQuery>,
) -> Answer<History> {
    let now = api.store.clock().stamp();
    let until = time("until", query.until.as_ref(), now)?.unwrap_or(now);
    let since = time("since", query.since.as_ref(), now)?.unwrap_or(until.before(BACK));
    if since >= until {
        let text = query.since.unwrap_or_default();
        return Err(Problem::parameter("since", &text, "before `until`"));
    }
    let node = known(&api, &name)?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let report = snapshot.report.nodes.iter().find(|entry| entry.node == node);
    let of = node.clone();
    let heard = read(&api, move |store| heard(store, &of, since, until)).await?;
    let (source, cut, mut told) = match heard {
        Some((told, cut)) => (Source::Journal, cut, told),
        None => (Source::EngineSamples, false, sampled(&api, &node, report, since, until).await?),
    };
    if let Some(clock) = &query.clock {
        told.retain(|point| point.resource.name() == clock);
    }
    // What was read of a stretch that is too long is its newest part.
    let since = if cut { told.first().map_or(since, |point| point.at) } else { since };
    let mut history = History::new(node.clone(), since, until, source);
    history.cut = cut;
    let windows = snapshot.report.blind_windows.iter().filter(|window| window.node == node);
    let in_time =
        |window: &&BlindWindow| window.from < until && window.to.is_none_or(|to| to > since);
    history.blind_windows = windows.filter(in_time).cloned().collect();
    let wanted = |clock: &&ClockReport| {
        query.clock.as_ref().is_none_or(|wanted| clock.resource.name() == wanted)
    };
    let clocks = report.into_iter().flat_map(|report| report.clocks.iter().filter(wanted));
    history.clocks = clocks_of(clocks, &told, &history);
    Ok(Json(history))
}

/// What was said of a clock at some time.
struct Point {
    at: Received,
    resource: Resource,
    instance: Instance,
    state: Option<SyncState>,
    offset_ns: Option<i64>,
}

/// What the journal has of a node, oldest first, and whether there is more; `None` without a journal.
fn heard(
    store: &Store,
    node: &NodeName,
    since: Received,
    until: Received,
) -> Result<Option<(Vec<Point>, bool)>, JournalError> {
    let Some(journal) = store.reader()? else { return Ok(None) };
    let mut points = Vec::new();
    let (mut cursor, mut entries, mut cut) = (None, 0, false);
    loop {
        let page = journal.select(&Query {
            node: Some(node),
            since: Some(since),
            until: Some(until),
            newest: true,
            cursor,
            limit: PAGE,
        })?;
        entries += page.entries.len();
        cursor = page.entries.last().map(|entry| entry.seq);
        for entry in page.entries {
            if let Some(Ok(event)) = entry.input.event() {
                points.extend(points_of(&event, entry.received));
            }
        }
        if !page.more || cursor.is_none() {
            break;
        }
        if entries >= MOST_ENTRIES {
            cut = true;
            break;
        }
    }
    points.reverse();
    Ok(Some((points, cut)))
}

fn points_of(event: &Event, at: Received) -> impl Iterator<Item = Point> {
    let readings = event.readings.iter().filter(|reading| !reading.instance.is_placeholder());
    readings.map(move |reading| Point {
        at,
        resource: event.resource.clone(),
        instance: reading.instance.clone(),
        state: reading.state.clone(),
        offset_ns: reading.offset.and_then(|measured| Some(measured.offset()?.as_nanos())),
    })
}

/// What the engine remembers: samples of the last hour, and the latest changes.
async fn sampled(
    api: &Api,
    node: &NodeName,
    report: Option<&NodeReport>,
    since: Received,
    until: Received,
) -> Result<Vec<Point>, Problem> {
    let clocks = api.engine.samples(node.clone()).await.map_err(unanswered)?;
    let mut points = Vec::new();
    for clock in clocks {
        points.extend(clock.samples.iter().map(|(at, ns)| Point {
            at: *at,
            resource: clock.resource.clone(),
            instance: clock.instance.clone(),
            state: None,
            offset_ns: Some(*ns),
        }));
    }
    for clock in report.into_iter().flat_map(|report| &report.clocks) {
        let moments = clock.history.iter().filter(|moment| moment.state.is_some());
        points.extend(moments.map(|moment| Point {
            at: moment.at,
            resource: clock.resource.clone(),
            instance: clock.instance.clone(),
            state: moment.state.clone(),
            offset_ns: None,
        }));
    }
    points.retain(|point| point.at >= since && point.at < until);
    points.sort_by_key(|point| point.at);
    Ok(points)
}

/// Each clock that is known, or was heard of in the stretch.
fn clocks_of<'a>(
    known: impl Iterator<Item = &'a ClockReport>,
    told: &[Point],
    stretch: &History,
) -> Vec<ClockHistory> {
    let mut of_clock = BTreeMap::<_, (Option<&ClockReport>, Vec<&Point>)>::new();
    for clock in known {
        of_clock.entry((&clock.resource, &clock.instance)).or_default().0 = Some(clock);
    }
    for point in told {
        of_clock.entry((&point.resource, &point.instance)).or_default().1.push(point);
    }
    let clocks = of_clock.into_iter().map(|((resource, instance), (known, points))| {
        let mut clock = ClockHistory::new(resource.clone(), instance.clone());
        clock.events = points.len();
        states(&mut clock, known, &points, stretch);
        let mut offsets: Vec<(Received, i64)> =
            points.iter().filter_map(|point| Some((point.at, point.offset_ns?))).collect();
        // A poll repeats the last word.
        offsets.dedup_by_key(|(_, ns)| *ns);
        clock.offset_ns = OffsetFigures::of(&offsets);
        // Few points say all.
        clock.curve = (offsets.len() > 2).then(|| Curve::of(0, offsets, MOST_POINTS));
        clock
    });
    clocks.collect()
}

/// The state it was in when the stretch began, as far as that is remembered.
fn state_before(known: Option<&ClockReport>, since: Received) -> Option<SyncState> {
    let known = known?;
    let mut before = known.history.iter().rev().filter(|moment| moment.at <= since);
    let remembered = before.find_map(|moment| moment.state.clone());
    let lasting = known.state.clone().filter(|_| known.since.is_some_and(|at| at <= since));
    lasting.or(remembered)
}

/// Changes of its state, and the time in each.
fn states(
    clock: &mut ClockHistory,
    known: Option<&ClockReport>,
    points: &[&Point],
    stretch: &History,
) {
    let mut state = state_before(known, stretch.since);
    let mut since = stretch.since;
    let mut times = StateTimes::default();
    for point in points {
        let Some(next) = &point.state else { continue };
        if state.as_ref() == Some(next) {
            continue;
        }
        spend(&mut times, state.as_ref(), since, point.at, &stretch.blind_windows);
        if state.is_some() {
            clock.changes += 1;
            clock.latest_changes.push(Change { at: point.at, state: next.clone() });
        }
        (state, since) = (Some(next.clone()), point.at);
    }
    spend(&mut times, state.as_ref(), since, stretch.until, &stretch.blind_windows);
    clock.latest_changes.drain(..clock.latest_changes.len().saturating_sub(MOST_CHANGES));
    let whole = times.locked + times.holdover + times.freerun;
    clock.availability =
        (whole > 0.0).then(|| (times.locked / whole * 10_000.0).round() / 10_000.0);
    clock.time_in_state_s = times;
}

fn spend(
    times: &mut StateTimes,
    state: Option<&SyncState>,
    from: Received,
    to: Received,
    blind: &[BlindWindow],
) {
    let Some(state) = state else { return };
    let unseen: Duration = blind
        .iter()
        .map(|window| window.to.unwrap_or(to).min(to).since(window.from.max(from)))
        .sum();
    let seconds = to.since(from).saturating_sub(unseen).as_secs_f64();
    let seconds = (seconds * 1000.0).round() / 1000.0;
    match NodeState::from(state) {
        NodeState::Locked => times.locked += seconds,
        NodeState::Holdover => times.holdover += seconds,
        _ => times.freerun += seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: u64) -> Received {
        Received::from_nanos(0).after(Duration::from_secs(s))
    }

    fn point(s: u64, state: &str, ns: i64) -> Point {
        Point {
            at: at(s),
            resource: Resource::LockState,
            instance: Instance::new("ens1fx/master").unwrap(),
            state: Some(SyncState::from(state)),
            offset_ns: Some(ns),
        }
    }

    #[test]
    fn blind_time_and_time_before_the_first_word_count_in_no_state() {
        let node = NodeName::new("w1").unwrap();
        let mut stretch = History::new(node, at(0), at(1000), Source::Journal);
        let window = serde_json::json!({"node": "w1", "from": at(500), "to": at(600), "why": "x"});
        stretch.blind_windows.push(serde_json::from_value(window).unwrap());
        let told = [
            point(100, "LOCKED", 5),
            point(200, "LOCKED", 5),
            point(300, "HOLDOVER", 90),
            point(400, "LOCKED", -7),
            point(900, "FREERUN", 250),
        ];
        let clocks = clocks_of([].into_iter(), &told, &stretch);
        let [clock] = &clocks[..] else { panic!("{clocks:?}") };
        let StateTimes { locked, holdover, freerun } = clock.time_in_state_s;
        assert_eq!((locked, holdover, freerun), (600.0, 100.0, 100.0));
        assert_eq!((clock.changes, clock.latest_changes.len()), (3, 3));
        assert_eq!(clock.availability, Some(0.75));
        let offsets = clock.offset_ns.unwrap();
        assert_eq!((offsets.samples, offsets.min, offsets.max), (4, -7, 250));
        assert_eq!(offsets.max_at, at(900));
    }
}
