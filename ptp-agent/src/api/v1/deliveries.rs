//! `/api/v1/deliveries`: over which sinks people were told, and by which silences they were not.

use axum::Json;
use axum::extract::State;
use ptp_api::{Deliveries, DeliveriesQuery};

use super::super::parameters::{Asked, cursor, time};
use super::{Answer, Api, LIMIT};

pub(super) async fn deliveries(
    State(api): State<Api>,
    Asked(query): Asked<DeliveriesQuery>,
) -> Answer<Deliveries> {
    let (limit, from) = (query.limit.unwrap_or(LIMIT), cursor(query.cursor.as_ref())?);
    let since = time("since", query.since.as_ref(), api.store.clock().stamp())?;
    let mut answer = api.told.deliveries();
    answer.items.retain(|delivery| {
        since.is_none_or(|since| delivery.at >= since)
            && query.incident.as_ref().is_none_or(|wanted| delivery.incident == *wanted)
    });
    answer.total = answer.items.len();
    answer.items = answer.items.into_iter().skip(from).take(limit).collect();
    let reached = from + answer.items.len();
    let more = reached < answer.total && !answer.items.is_empty();
    answer.next_cursor = more.then(|| reached.to_string());
    Ok(Json(answer))
}
