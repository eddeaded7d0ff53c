//! What the publisher says is known to be wrong.

use super::{Cause, DECISIVE, FAINT, Reach, RootCause, STRONG, Watch, run, seen};
use crate::model::stage::Stage;
use crate::model::symptom::Symptom as S;

pub(crate) const CAUSE: Cause = Cause {
    root: RootCause::PublisherArtefact,
    code: "publisher-artefact",
    title: "Known publisher bug",
    manual: "A pattern that a known bug of the publisher makes, with timing well.\n\nShown by: one of the \
        patterns of docs/diagnosis.md §7.",
    decide_by: "the clock's own view (pmc), and the publisher's version",
    reaches_followers: false,
    stage: Stage::Artefact,
    reach: Reach::Here,
    watch: Watch::Usual,
    prior: -2.0,
    predicts: &[
        seen(S::Artefact, DECISIVE, 0.0),
        seen(S::Contradiction, STRONG, 0.0),
        seen(S::ReferenceSilent, -FAINT, 0.0),
        seen(S::ProcessDown, -STRONG, 0.0),
    ],
    actions: &[run(
        "Compare with the clock's own view",
        "{exec} pmc -u -b 0 -f /var/run/ptp4l.0.config 'GET TIME_STATUS_NP'",
    )],
};
