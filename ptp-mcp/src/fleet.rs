//! Tools on what the agent knows: the fleet, its incidents, its clocks.

mod alerts;
mod events;
mod history;
mod incident;
mod incidents;
mod marks;
mod nodes;
mod now;
mod quiet;
mod recording;
mod silences;
mod topology;

use ptp_api::{Fleet, MadeSilence, NewSilence, Nothing, Silence};

use crate::tool::{Part, Tool, tool};

/// The tools, in the order a client lists them.
pub(crate) const TOOLS: &[Tool] = &[
    tool!(
        "diagnose_ptp_issues"("force_alert_check"),
        "What is wrong now",
        Agent,
        Reads,
        now::Diagnose => now::Issues,
        now::diagnose,
        "What is wrong now, on all nodes or one, worst first: root cause, since when, where, and what to do first; \
         nodes that cannot be observed; what keeps the agent from its work. Begin here."
    ),
    tool!(
        "get_fleet_overview",
        "Fleet overview",
        Agent,
        Reads,
        Nothing => Fleet,
        now::overview,
        "The fleet in a few figures: how many nodes are in which state and role, which are not LOCKED, \
         what fires, where we are blind, what keeps the agent from its work."
    ),
    tool!(
        "get_agent_summary",
        "Summary of nodes",
        Agent,
        Reads,
        nodes::SummaryOf => nodes::Summaries,
        nodes::summary,
        "Each node's state, role, number of events, firing incidents, and the share of the time that it was \
         LOCKED, blind time not counted; of one node if `nodeName` is given. UNKNOWN means that the node cannot be \
         observed, not that it is well."
    ),
    tool!(
        "list_incidents",
        "Incidents",
        Agent,
        Reads,
        incidents::Incidents => incidents::IncidentList,
        incidents::list,
        "Incidents, newest first, in a line each: root cause, verdict, nodes, times, how long. One incident is one \
         cause, however many nodes feel it. By node, root cause, finding (such as process-restart), or a time \
         that they went on at."
    ),
    tool!(
        "get_incident",
        "One incident",
        Agent,
        Reads,
        incident::One => incident::Whole,
        incident::one,
        "All of an incident: root cause with verdict and confidence, evidence for and against, alternatives and \
         the check that would decide, what to do with commands, forecast and what it rests on, since when each clock is \
         well again and when it will close, who was told over which sink, silences, and other incidents that may have the \
         same reason."
    ),
    tool!(
        "compare_incidents",
        "One reason for two incidents?",
        Agent,
        Reads,
        incident::Pair => incident::Compared,
        incident::compare,
        "Whether one reason may be behind two incidents, and what speaks for it and against it."
    ),
    tool!(
        "why_quiet",
        "Why nothing fires",
        Agent,
        Reads,
        quiet::OfNode => quiet::WhyQuiet,
        quiet::why,
        "What is seen of a node, which findings are near to firing and what holds them, what is excused and why, \
         silences, and when it could not be observed. For `it flaps, so why is there no alert?` and `is anything wrong \
         with this node?`"
    ),
    tool!(
        "get_clock_history",
        "History of a node's clocks",
        Agent,
        Reads,
        history::Of => history::ClockHistories,
        history::history,
        "A node's clocks in a stretch of time (the last hour unless given): state and changes, share of the time LOCKED \
         with blind time excluded, offsets in nanoseconds (least, greatest and when, mean, standard deviation, \
         percentiles, drift) and their curve in at most 60 points."
    ),
    tool!(
        "get_forecasts",
        "Forecasts",
        Agent,
        Reads,
        incidents::Forecasts => incidents::ForecastList,
        incidents::forecasts,
        "Which nodes are expected to exceed which limit, and when, with an 80 % band and what it rests on, soonest \
         first; and who follows them. A node without a forecast is not expected to exceed anything, or cannot be \
         observed: see get_blind_windows."
    ),
    tool!(
        "get_topology",
        "Who follows whom",
        Agent,
        Reads,
        topology::Of => topology::Tree,
        topology::topology,
        "Timing domains: grandmasters, boundary clocks and who follows them, each with its state and class; of one \
         node, whom it follows and who follows it. Says what followers will and will not report when their \
         grandmaster's time goes wrong."
    ),
    tool!(
        "compare_nodes",
        "Compare nodes",
        Agent,
        Reads,
        nodes::Compare => nodes::Comparison,
        nodes::compare,
        "Two to eight nodes side by side: state, role, whom they follow, share of the time LOCKED, clock class, \
         offsets, changes, firing incidents, and the incidents they share."
    ),
    tool!(
        "what_changed",
        "What changed",
        Agent,
        Reads,
        now::Since => now::Changed,
        now::changed,
        "A stretch of time for who takes over: incidents that began, ended or go on, alerts, forecasts, when we were \
         blind, and silences."
    ),
    tool!(
        "get_agent_alerts",
        "Alerts",
        Agent,
        Reads,
        alerts::Alerts => alerts::AlertList,
        alerts::alerts,
        "What people were told in the last hours, newest first, and over which sinks; how many, and of which incidents \
         they were told that it is over. For what goes on now, diagnose_ptp_issues."
    ),
    tool!(
        "get_blind_windows",
        "Blind windows",
        Agent,
        Reads,
        nodes::Blind => nodes::BlindList,
        nodes::blind,
        "When which nodes could not be observed, for how long and why, newest first, and what can have been missed."
    ),
    tool!(
        "get_cloud_events",
        "Events",
        Agent,
        Reads,
        events::Events => events::EventList,
        events::events,
        "Events that publishers sent, as they were received, in a line each, newest first; of one node or a stretch \
         of time if asked."
    ),
    tool!(
        "monitor_ptp_events",
        "Watch events",
        Agent,
        Reads,
        events::Watch => events::EventList,
        events::watch,
        "Waits some seconds and gives the events received meanwhile, oldest first."
    ),
    tool!(
        "explain_code",
        "Explain a code",
        Agent,
        Reads,
        incidents::Code => incidents::Pages,
        incidents::explain,
        "The manual page of a finding or root cause, such as gnss-signal-loss: what it means, what shows \
         it, what to do. Without a code, all codes with their titles."
    ),
    tool!(
        "diagnose_recording",
        "Diagnose a recording",
        Agent,
        Reads,
        recording::Recording => recording::Diagnosed,
        recording::diagnose,
        "Diagnoses events given as text (JSON Lines, JSON arrays, logs with events inside), up to 1 MiB, \
         with the engine that watches the fleet. Touches nothing."
    ),
    tool!(
        "list_silences",
        "Silences",
        Agent,
        Reads,
        Part => silences::SilenceList,
        silences::list,
        "Who is not to be told of what, until when, and why."
    ),
    tool!(
        "silence"("create_silence"),
        "Silence",
        Change,
        Changes,
        NewSilence => MadeSilence,
        silences::create,
        "Keeps alerts about a node, a root cause, or both from people for a while, from now or from a \
         later time on, at most 31 days away. Nothing is hidden from reports. Ask the person before you use it."
    ),
    tool!(
        "unsilence"("end_silence"),
        "End a silence",
        Change,
        Changes,
        silences::End => Silence,
        silences::end,
        "Ends a silence now."
    ),
    tool!(
        "start_ptp_monitoring",
        "Begin to take notes",
        Agent,
        Changes,
        Nothing => marks::Monitoring,
        marks::start,
        "The agent always monitors; this marks a beginning for get_alert_notifications. The mark is shared \
         by everyone who asks here."
    ),
    tool!(
        "stop_ptp_monitoring",
        "Stop taking notes",
        Agent,
        Changes,
        Nothing => marks::Monitoring,
        marks::stop,
        "Marks the end for get_alert_notifications. The agent goes on monitoring."
    ),
    tool!(
        "get_monitoring_status",
        "Monitoring status",
        Agent,
        Reads,
        Nothing => marks::Monitoring,
        marks::status,
        "Whether the agent can do its work, and between which marks alerts are noted."
    ),
    tool!(
        "get_alert_notifications",
        "Noted alerts",
        Agent,
        Reads,
        Part => alerts::AlertList,
        alerts::noted,
        "The alerts between the marks of start_ptp_monitoring and stop_ptp_monitoring, newest first."
    ),
];
