//! Nothing is heard of a node.

use super::{Cause, Reach, RootCause, Watch, run};
use crate::model::stage::Stage;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::TelemetryGap,
    code: "telemetry-gap",
    title: "No telemetry",
    manual: "Nothing is known about the node: its publisher cannot be reached, or its regular samples \
        stopped.\n\nShown by: silence alone. It is not a timing fault, and says nothing about timing \
        either way.",
    decide_by: "whether the node and its linuxptp-daemon pod run",
    reaches_followers: false,
    stage: Stage::Telemetry,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: 4.0,
    predicts: &[],
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
