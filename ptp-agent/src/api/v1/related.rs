//! `/api/v1/incidents/{id}/related`: what went on at the same time, and whether one reason may be behind it.

use axum::extract::{Path, State};
use ptp_api::{Listed, PageQuery, Related, RelatedQuery, Relation};
use ptp_diagnostics::report::IncidentReport;
use ptp_diagnostics::report::reach::{Following, relation};

use super::super::parameters::Asked;
use super::incidents::find;
use super::{Answer, Api, page};

/// How many are told of.
const MOST: usize = 50;

pub(super) async fn related(
    State(api): State<Api>,
    Path(id): Path<String>,
    Asked(RelatedQuery { to }): Asked<RelatedQuery>,
) -> Answer<Listed<Related>> {
    let one = find(&api, &id).await?;
    let snapshot = api.engine.snapshot.borrow().clone();
    let report = &snapshot.report;
    let following = Following::new(&report.nodes);
    let of = |other: &IncidentReport| {
        let (relation, why) = relation(report, &following, &one, other);
        let code = other.root_cause.code().to_owned();
        let mut related = Related::new(other.id.clone(), code, other.opened_at, relation, why);
        related.resolved_at = other.resolved_at;
        related.origin_nodes.clone_from(&other.origin_nodes);
        related
    };
    let related = match to {
        Some(to) => vec![of(&find(&api, &to).await?)],
        None => {
            let others = report.incidents.iter().rev().filter(|other| other.id != one.id);
            let near = others.map(of).filter(|related| related.relation != Relation::Unrelated);
            near.take(MOST).collect()
        }
    };
    page(&PageQuery { limit: Some(MOST), cursor: None }, related)
}
