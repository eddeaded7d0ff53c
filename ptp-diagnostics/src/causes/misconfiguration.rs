//! A node cannot synchronise with the configuration it has.

use super::{Cause, DECISIVE, FAIR, PORT, Reach, RootCause, STRONG, Watch, run, seen, PROOF};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::Misconfiguration,
    code: "misconfiguration",
    title: "Never synchronised",
    manual: "The node cannot synchronise with the configuration it has: wrong domain, profile, \
        transport, interface or VLAN.\n\nShown by: a clock that was never LOCKED since it started; or, in a log, offset and path delay of exactly 0 ns \
        in line after line, which is no measurement.",
    decide_by: "domainNumber, transport and VLAN of the node against those of its master",
    reaches_followers: false,
    stage: Stage::Path,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -1.0,
    predicts: &[
        seen(S::NothingMeasured, PROOF, 0.0),
        seen(S::ConfigurationRefused, PROOF, 0.0),
        seen(S::NoLockSinceStart, STRONG, 0.0),
        // What was LOCKED once has a configuration that works.
        seen(S::NoLockEver, FAIR, -DECISIVE),
        seen(S::NeverLocked, FAIR, 0.0),
    ],
    actions: &[
        run("Read the configuration the node runs", "{exec} sh -c 'cat /var/run/ptp4l.*.config'"),
        run("See which profiles match the node", "oc -n {namespace} get ptpconfig -o yaml"),
        PORT,
    ],
};
