//! Root causes in what tells us, rather than in timing.

use super::run;
use crate::cause::{Cause, RootCause};

pub(crate) const ARTEFACT: Cause = Cause {
    root: RootCause::PublisherArtefact,
    code: "publisher-artefact",
    title: "Known publisher bug",
    manual: "A pattern that a known bug of the publisher makes, with timing well.\n\nShown by: one of the \
        patterns of docs/diagnosis.md §7.",
    decide_by: "the clock's own view (pmc), and the publisher's version",
    reaches_followers: false,
    actions: &[run(
        "Compare with the clock's own view",
        "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET TIME_STATUS_NP'",
    )],
};

pub(crate) const TELEMETRY_GAP: Cause = Cause {
    root: RootCause::TelemetryGap,
    code: "telemetry-gap",
    title: "No telemetry",
    manual: "Nothing is known about the node: its publisher cannot be reached, or its regular samples \
        stopped.\n\nShown by: silence alone. It is not a timing fault, and says nothing about timing \
        either way.",
    decide_by: "whether the node and its linuxptp-daemon pod run",
    reaches_followers: false,
    actions: &[
        run(
            "See whether the pod runs",
            "oc -n {namespace} get pod -o wide --field-selector spec.nodeName={node}",
        ),
        run(
            "Read what the publisher logged",
            "oc -n {namespace} logs --since-time={since} {pod} -c cloud-event-proxy",
        ),
    ],
};
