//! What a node's clocks did in a stretch of time.

use ptp_api::{Change, ClockHistory, HistoryQuery, Nothing, OffsetFigures, Source, StateTimes};
use ptp_diagnostics::text::{lasting, moment};
use ptp_events::{NodeName, Received, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::nodes::Window;
use crate::context::Context;
use crate::picture;
use crate::resources;
use crate::tool::{Answer, Refusal};

/// How many clocks of a node are shown.
const CLOCKS: usize = 12;
/// How many clocks are drawn as a curve.
const CURVES: usize = 2;
/// How many changes of a clock are told.
const CHANGES: usize = 8;

/// Whose history, and when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Of {
    /// The node's name
    node: String,
    /// Since when: 30m (ago), 03:00, yesterday (in UTC), or RFC 3339; an hour ago unless given
    #[serde(default)]
    since: Option<String>,
    /// Until when, written the same way; now unless given
    #[serde(default)]
    until: Option<String>,
    /// Only clocks of this kind, such as lock-state or os-clock-sync-state
    #[serde(default)]
    clock: Option<String>,
    /// Also a picture (PNG) of each curve, for a model that sees pictures
    #[serde(default)]
    picture: bool,
}

/// A stretch of a node's history.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ClockHistories {
    /// The node.
    node: NodeName,
    /// From when.
    since: Received,
    /// Until when.
    until: Received,
    /// Where the figures are from.
    source: Source,
    /// Whether the stretch has more than was read: the figures are of its newest part.
    cut: bool,
    /// Its clocks.
    clocks: Vec<Clock>,
    /// When it could not be observed; that time counts in no figure.
    blind_windows: Vec<Window>,
    /// What each picture shows, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pictures: Vec<String>,
}

/// A clock.
#[derive(Debug, Serialize, JsonSchema)]
struct Clock {
    /// Its kind.
    resource: Resource,
    /// Which one.
    instance: String,
    /// Its state now.
    state: Option<String>,
    /// Since when.
    state_since: Option<Received>,
    /// How many events spoke of it.
    events: usize,
    /// How often its state changed in that time.
    changes: usize,
    /// The latest changes.
    latest_changes: Vec<Change>,
    /// The share of the known time that it was LOCKED, from 0 to 1; blind time does not count.
    availability: Option<f64>,
    /// Seconds in each state.
    time_in_state_s: StateTimes,
    /// Its offsets, in nanoseconds.
    offset_ns: Option<OffsetFigures>,
    /// Its offsets over time, in nanoseconds: least to greatest of each part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    curve: Vec<String>,
}

pub(super) async fn history(
    context: &Context,
    wanted: Of,
) -> Result<Answer<ClockHistories>, Refusal> {
    let agent = context.agent()?;
    let query = HistoryQuery { since: wanted.since, until: wanted.until, clock: wanted.clock };
    let found = agent.history(&wanted.node, &query).await?;
    let now = agent.node(&wanted.node, &Nothing {}).await?;
    let (mut curves, mut pictures, mut drawn) = (0, Vec::new(), Vec::new());
    let mut clocks = Vec::new();
    for clock in found.clocks.into_iter().take(CLOCKS) {
        let known = now
            .clocks
            .iter()
            .find(|known| known.resource == clock.resource && known.instance == clock.instance);
        let state = known.and_then(|known| Some(known.state.as_ref()?.as_str().to_owned()));
        let state_since = known.and_then(|known| known.since);
        let is_drawn = clock.curve.is_some() && curves < CURVES;
        curves += usize::from(is_drawn);
        let curve = clock.curve.as_ref().filter(|_| is_drawn && wanted.picture);
        if let Some(picture) = curve.and_then(picture::draw) {
            pictures.push(format!(
                "{} {}: time from left to right, {} ns at the upper edge and -{} ns at the lower, the tolerance broken",
                clock.resource, clock.instance, picture.edge_ns, picture.edge_ns
            ));
            drawn.push(picture.png);
        }
        clocks.push(shown(clock, state, state_since, is_drawn));
    }
    let says = says(&wanted.node, found.since, found.until, &clocks);
    let window = |window| Window::new(window, found.until);
    let answer = ClockHistories {
        node: found.node,
        since: found.since,
        until: found.until,
        source: found.source,
        cut: found.cut,
        clocks,
        blind_windows: found.blind_windows.iter().map(window).collect(),
        pictures,
    };
    let links = [(resources::node(&wanted.node), wanted.node)];
    Ok(Answer::new(says, answer).linked(links).drawn(drawn))
}

fn shown(
    clock: ClockHistory,
    state: Option<String>,
    state_since: Option<Received>,
    is_drawn: bool,
) -> Clock {
    let points = clock.curve.iter().filter(|_| is_drawn).flat_map(|curve| &curve.points);
    let curve = points.map(|point| {
        let at = ptp_diagnostics::text::time_of_day(point.at);
        let at = at.split('.').next().unwrap_or_default();
        if point.min_ns == point.max_ns {
            format!("{at} {}", point.min_ns)
        } else {
            format!("{at} {}..{}", point.min_ns, point.max_ns)
        }
    });
    let late = clock.latest_changes.len().saturating_sub(CHANGES);
    Clock {
        curve: curve.collect(),
        resource: clock.resource,
        instance: clock.instance.to_string(),
        state,
        state_since,
        events: clock.events,
        changes: clock.changes,
        latest_changes: clock.latest_changes.into_iter().skip(late).collect(),
        availability: clock.availability,
        time_in_state_s: clock.time_in_state_s,
        offset_ns: clock.offset_ns,
    }
}

fn says(node: &str, since: Received, until: Received, clocks: &[Clock]) -> String {
    let greatest = clocks
        .iter()
        .filter_map(|clock| Some((clock, clock.offset_ns?)))
        .max_by_key(|(_, figures)| figures.max_abs);
    let greatest = greatest.map_or_else(
        || "it gave no offset".to_owned(),
        |(clock, figures)| {
            let is_max = figures.max.unsigned_abs() == figures.max_abs;
            let (ns, at) =
                if is_max { (figures.max, figures.max_at) } else { (figures.min, figures.min_at) };
            format!(
                "the largest offset was {ns} ns, of {} {} at {}",
                clock.resource,
                clock.instance,
                moment(at)
            )
        },
    );
    format!("{node} over {}: {greatest}.", lasting(until.since(since)))
}
