//! Tools on what the agent knows: the fleet, its incidents, its clocks.

mod alerts;
mod incidents;
pub(super) mod monitoring;
mod nodes;
mod recording;
mod silences;

use serde_json::Value;

use super::tool::{Nothing, Part, Tool, a, component, list, maybe, object, paged, tool};

/// The tools, in the order a client lists them.
pub(super) const TOOLS: &[Tool] = &[
    tool!(
        "get_fleet_overview",
        "Fleet overview",
        Agent,
        Reads,
        Nothing,
        component("Fleet"),
        nodes::overview,
        "The fleet in a few figures: how many nodes are in which state and role, which are not LOCKED, \
         what fires, where we are blind, what keeps the agent from its work. Begin here."
    ),
    tool!(
        "get_agent_summary",
        "Summary of nodes",
        Agent,
        Reads,
        nodes::Summary,
        nodes::summary_schema(),
        nodes::summary,
        "Each node's state, role, number of events, availability and firing incidents; of one node if \
         `nodeName` is given. UNKNOWN means that the node cannot be observed, not that it is well."
    ),
    tool!(
        "get_agent_alerts",
        "Alerts",
        Agent,
        Reads,
        alerts::Alerts,
        alerts::schema(),
        alerts::alerts,
        "What people were told in the last hours, newest first: one alert when an incident opened, \
         perhaps one when it got worse, one when it was resolved. For what goes on now, list_incidents \
         with status firing."
    ),
    tool!(
        "list_incidents",
        "Incidents",
        Agent,
        Reads,
        incidents::Incidents,
        incidents::list_schema(),
        incidents::list,
        "Incidents, newest first, in a line each: root cause, verdict, nodes, times. One incident is one \
         cause, however many nodes feel it."
    ),
    tool!(
        "get_incident",
        "One incident",
        Agent,
        Reads,
        incidents::One,
        incidents::one_schema(),
        incidents::one,
        "All of an incident: root cause with verdict and confidence, evidence for and against with event \
         ids, alternatives and the check that would decide, recommendations with commands, forecast."
    ),
    tool!(
        "explain_code",
        "Explain a code",
        Agent,
        Reads,
        incidents::Code,
        incidents::pages_schema(),
        incidents::explain,
        "The manual page of a finding or root cause, such as gnss-signal-loss: what it means, what shows \
         it, what to do. Without a code, all codes with their titles."
    ),
    tool!(
        "get_clock_history",
        "History of a node's clocks",
        Agent,
        Reads,
        nodes::History,
        nodes::history_schema(),
        nodes::history,
        "A node's clocks: state and since when, latest changes, offset statistics, and the latest offsets \
         of its PTP clocks (an hour's worth at most) with trend and spread, in nanoseconds."
    ),
    tool!(
        "get_forecasts",
        "Forecasts",
        Agent,
        Reads,
        incidents::Forecasts,
        incidents::forecasts_schema(),
        incidents::forecasts,
        "Which nodes are expected to exceed which limit, and when, with an 80 % band, soonest first. Covers \
         clocks in holdover and clocks that drift; a node without a forecast is not expected to exceed \
         anything, or cannot be observed: see get_blind_windows."
    ),
    tool!(
        "get_blind_windows",
        "Blind windows",
        Agent,
        Reads,
        nodes::Blind,
        paged("windows", &component("BlindWindow")),
        nodes::blind,
        "When which nodes could not be observed, and why, newest first. Nothing is known for those times."
    ),
    tool!(
        "compare_nodes",
        "Compare nodes",
        Agent,
        Reads,
        nodes::Compare,
        nodes::compare_schema(),
        nodes::compare,
        "Two to eight nodes side by side: state, role, availability, clock class, offset statistics, firing \
         incidents, and the incidents they share."
    ),
    tool!(
        "what_changed",
        "What changed",
        Agent,
        Reads,
        alerts::Since,
        alerts::changed_schema(),
        alerts::changed,
        "Everything since a time: incidents that began or ended, alerts, and when we were blind."
    ),
    tool!(
        "get_cloud_events",
        "Events",
        Agent,
        Reads,
        nodes::Events,
        nodes::events_schema(),
        nodes::events,
        "The latest events that publishers sent, as they were received, newest first; of one node if asked."
    ),
    tool!(
        "monitor_ptp_events",
        "Watch events",
        Agent,
        Reads,
        nodes::Watch,
        nodes::events_schema(),
        nodes::watch,
        "Waits some seconds and gives the events received meanwhile, oldest first."
    ),
    tool!(
        "diagnose_ptp_issues",
        "Diagnose issues",
        Agent,
        Reads,
        nodes::Diagnose,
        nodes::diagnose_schema(),
        nodes::diagnose,
        "What is wrong now, on all nodes or one: firing incidents, worst first, with root cause and what to \
         do first; nodes that cannot be observed; and what keeps the agent from its work."
    ),
    tool!(
        "diagnose_recording",
        "Diagnose a recording",
        Agent,
        Reads,
        recording::Recording,
        recording::schema(),
        recording::diagnose,
        "Diagnoses events given as text (JSON Lines, JSON arrays, logs with events inside), up to 1 MiB, \
         with the engine that watches the fleet. Touches nothing."
    ),
    tool!(
        "start_ptp_monitoring",
        "Begin to take notes",
        Agent,
        Changes,
        Nothing,
        monitoring::schema(),
        monitoring::start,
        "The agent always monitors; this marks a beginning for get_alert_notifications. The mark is shared \
         by everyone who asks here."
    ),
    tool!(
        "stop_ptp_monitoring",
        "Stop taking notes",
        Agent,
        Changes,
        Nothing,
        monitoring::schema(),
        monitoring::stop,
        "Marks the end for get_alert_notifications. The agent goes on monitoring."
    ),
    tool!(
        "get_monitoring_status",
        "Monitoring status",
        Agent,
        Reads,
        Nothing,
        monitoring::schema(),
        monitoring::status,
        "Whether the agent can do its work, and between which marks alerts are noted."
    ),
    tool!(
        "force_alert_check",
        "Check now",
        Agent,
        Reads,
        Nothing,
        nodes::diagnose_schema(),
        nodes::check_now,
        "What fires at this moment. Alerts need no forcing: the agent raises them when they are due."
    ),
    tool!(
        "get_alert_notifications",
        "Noted alerts",
        Agent,
        Reads,
        Part,
        alerts::schema(),
        alerts::noted,
        "The alerts between the marks of start_ptp_monitoring and stop_ptp_monitoring, newest first."
    ),
    tool!(
        "list_silences",
        "Silences",
        Agent,
        Reads,
        Part,
        paged("silences", &component("Silence")),
        silences::list,
        "Who is not to be told of what, until when, and why."
    ),
    tool!(
        "create_silence",
        "Create a silence",
        Change,
        Changes,
        silences::New,
        component("MadeSilence"),
        silences::create,
        "Keeps alerts about a node, a root cause, or both from people for a while, from now or from a \
         later time on, at most 31 days away. Nothing is hidden from reports. Ask the person before you use it."
    ),
    tool!(
        "end_silence",
        "End a silence",
        Change,
        Changes,
        silences::End,
        component("Silence"),
        silences::end,
        "Ends a silence now."
    ),
];

/// An incident in a line, as other tools show it too; with its schema, and as text.
pub(super) use incidents::{
    line as incident_line, row as incident_row, row_schema as incident_schema,
};

/// The entries of an answer's list.
pub(super) fn items(mut answer: Value) -> Vec<Value> {
    match answer["items"].take() {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// A field's text, or nothing.
fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

/// The texts of a list, joined.
fn joined(value: &Value, field: &str) -> String {
    let texts: Vec<_> =
        value[field].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    match texts.split_at_checked(6) {
        Some((first, rest)) if !rest.is_empty() => {
            format!("{} and {} more", first.join(", "), rest.len())
        }
        _ => texts.join(", "),
    }
}
