//! The questions, a row each.

/// A question, the calls that answer it, and what of their text is the answer.
pub(crate) struct Question {
    pub asks: &'static str,
    /// Tool and arguments; `$1` stands for the first incident that the answer before names.
    pub calls: &'static [(&'static str, &'static str)],
    /// What must be said: the truth of the simulated evening.
    pub answers: &'static [&'static str],
    /// Whether the write token is shown.
    pub may_write: bool,
}

const fn asks(
    asks: &'static str,
    calls: &'static [(&'static str, &'static str)],
    answers: &'static [&'static str],
) -> Question {
    Question { asks, calls, answers, may_write: false }
}

pub(crate) const QUESTIONS: &[Question] = &[
    asks(
        "What is wrong right now, and what should I do first?",
        &[("diagnose_ptp_issues", "{}")],
        &[
            "6 incidents fire, worst first",
            "c376a8711541f00b: Check the link: up, speed, errors: oc",
        ],
    ),
    asks(
        "Why did several followers of bc-1 report trouble at 14:35?",
        &[
            ("list_incidents", r#"{"node":"bc-1","at":"14:35"}"#),
            ("get_incident", r#"{"id":"$1"}"#),
        ],
        &[
            "ptp-path-loss, confirmed",
            "opened_at: 2040-04-01T14:35:01.740Z",
            "origin_nodes: bc-1",
            "affected_nodes: bc-1, worker-01, worker-02, worker-11",
            "worker-01 | clock-class ens1fx/master | clock class 135",
        ],
    ),
    asks(
        "Is gm-2's GNSS outage over, and how long did it last?",
        &[("list_incidents", r#"{"node":"gm-2","root_cause":"gnss-signal-loss"}"#)],
        &["| resolved | gnss-signal-loss |", "2040-04-01T14:15:45.398Z | 5.7 min"],
    ),
    asks(
        "Is anything wrong with worker-06? If nothing fires although it flaps: why not?",
        &[("why_quiet", r#"{"node":"worker-06"}"#)],
        &[
            "LOCKED since 2040-04-01 14:33:20.889 UTC; 1 incident fires",
            "| 11 | 10 | 60 min |",
            "ptp-path-unstable",
        ],
    ),
    asks(
        "Why is worker-08 not synchronised?",
        &[("why_quiet", r#"{"node":"worker-08"}"#), ("get_incident", r#"{"id":"$1"}"#)],
        &[
            "misconfiguration, confirmed",
            "FREERUN since 2040-04-01 14:00:36",
            "never-locked",
            "See which profiles match the node",
        ],
    ),
    asks(
        "On which node were we blind, when exactly, and could we have missed something?",
        &[("get_blind_windows", "{}")],
        &[
            "worker-05 | 2040-04-01T14:17:00Z | 2040-04-01T14:25:00Z | 8 min",
            "whatever began and ended within a window is lost",
        ],
    ),
    asks(
        "Is worker-06's link still flapping, since when is it quiet, and when will the incident close?",
        &[("list_incidents", r#"{"node":"worker-06"}"#), ("get_incident", r#"{"id":"$1"}"#)],
        &[
            "lock-state | ens1fx/master | LOCKED | 2040-04-01T14:33:20.270Z",
            "it closes at 2040-04-01 15:28:00.884 UTC at the earliest",
        ],
    ),
    asks(
        "Since when has worker-07 been lost, why, and does another node share the cause?",
        &[("diagnose_ptp_issues", r#"{"node":"worker-07"}"#)],
        &[
            "ptp-path-loss | confirmed",
            "2040-04-01T14:30:00.247Z | 15 min | worker-07 | 1 | worker-07",
        ],
    ),
    asks(
        "How long until gm-1 is out of specification, with bounds, and what does the forecast rest on?",
        &[("get_forecasts", r#"{"node":"gm-1"}"#)],
        &[
            "1500 ns at 2040-04-02 06:05:08.337 UTC at the median",
            "80 % between 2040-04-01 19:26:22",
            "fitted to 20 offsets measured in holdover",
        ],
    ),
    asks(
        "Which nodes will suffer when it is, and will they say so?",
        &[("get_topology", r#"{"node":"gm-1"}"#)],
        &[
            "gm-1 | t-gm | HOLDOVER | 140 | none | worker-09, worker-10",
            "stay LOCKED and move along without a word",
        ],
    ),
    asks(
        "worker-04 lost SyncE: is its time affected?",
        &[("why_quiet", r#"{"node":"worker-04"}"#)],
        &[
            "lock-state ens1fx/master | LOCKED | 2040-04-01T14:00:00.018Z | 0 |",
            "synce-lock-state synce1/ens1f0 | FREERUN",
        ],
    ),
    asks(
        "Did any process restart in the last hour?",
        &[("list_incidents", r#"{"finding":"process-restart","since":"1h"}"#)],
        &["process-restart | confirmed", "2040-04-01T14:08:00.252Z", "worker-02"],
    ),
    asks(
        "How many alerts did people get, over which sinks, and which are resolved?",
        &[("get_agent_alerts", r#"{"hours":1}"#)],
        &[
            "17 alerts in the last 1 h, 4 of them CRITICAL",
            "no sink is configured",
            "resolved: 2271e26d9e75650e, 3d32e256390e0442, 8f8edd401c2481b3",
        ],
    ),
    asks(
        "What was the largest offset of worker-03's system clock in the last 30 minutes?",
        &[(
            "get_clock_history",
            r#"{"node":"worker-03","clock":"os-clock-sync-state","since":"30m"}"#,
        )],
        &[
            "the largest offset was 5542 ns, of os-clock-sync-state CLOCK_REALTIME at 2040-04-01 14:32:00",
        ],
    ),
    asks(
        "Compare worker-07 and worker-09.",
        &[("compare_nodes", r#"{"nodes":["worker-07","worker-09"]}"#)],
        &[
            "worker-07 | FREERUN | t-tsc | 0.66",
            "worker-09 | LOCKED | unknown | 1.0",
            "shared: none",
        ],
    ),
    asks(
        "Do the losses of worker-07 and of bc-1 have one reason?",
        &[
            ("list_incidents", r#"{"root_cause":"ptp-path-loss"}"#),
            ("compare_incidents", r#"{"one":"$1","other":"$2"}"#),
        ],
        &["relation: unrelated", "neither gets its time from the other"],
    ),
    asks(
        "What share of the time was each follower LOCKED, blind time not counted?",
        &[("get_agent_summary", "{}")],
        &["worker-07 | FREERUN | t-tsc | 0.66", "worker-11 | LOCKED | t-bc | 1.0"],
    ),
    asks(
        "A shift handover in five bullets.",
        &[("what_changed", r#"{"since":"45m"}"#)],
        &[
            "10 incidents began, 0 ended, 0 go on from before; 17 alerts told (4 CRITICAL); 1 blind window",
            "6be7cbbae8cee5d5 | gm-1, worker-09, worker-10 | 3 | 1500 | 2040-04-02T06:05:08",
            "silences: none",
        ],
    ),
    asks(
        "Silence worker-03 for two hours.",
        &[(
            "silence",
            r#"{"node":"worker-03","duration":"2h","comment":"chronyd is being removed","created_by":"on call"}"#,
        )],
        &[
            "needs the write token, and nothing was changed",
            "ptp-cli silence add --node worker-03 --duration 2h",
        ],
    ),
    Question {
        may_write: true,
        ..asks(
            "The same, with the write token.",
            &[(
                "silence",
                r#"{"node":"worker-03","duration":"2h","comment":"chronyd is being removed","created_by":"on call"}"#,
            )],
            &["is in force from 2040-04-01 14:45", "node: worker-03"],
        )
    },
    asks(
        "What speaks against the diagnosis of worker-03, and what check would decide?",
        &[("list_incidents", r#"{"node":"worker-03"}"#), ("get_incident", r#"{"id":"$1"}"#)],
        &[
            "Nothing that was said speaks against it; no other cause is likely enough to name",
            "What decides: whether phc2sys runs, and whether chronyd or ntpd does as well",
        ],
    ),
];
