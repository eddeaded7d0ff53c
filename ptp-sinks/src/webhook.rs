//! Anybody's program, by CloudEvents over HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use hmac::{Hmac, Mac};
use ptp_api::Secret;
use ptp_diagnostics::report::{Alert, IncidentReport};
use ptp_events::Received;
use serde::Serialize;
use sha2::Sha256;

use crate::identity::Identity;
use crate::{Answer, Destination, Message, SinkError};

/// Posts each alert as a structured CloudEvent 1.0.
#[derive(Debug)]
pub struct Webhook {
    destination: Destination,
    secret: Option<Secret>,
    identity: Arc<Identity>,
}

#[derive(Serialize)]
struct Posted<'a> {
    specversion: &'static str,
    /// The same alert, tried again, has the same id.
    id: String,
    source: &'static str,
    #[serde(rename = "type")]
    kind: String,
    subject: &'a str,
    time: Received,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    alert: &'a Alert,
    incident: &'a IncidentReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<&'a str>,
    labels: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    incident_url: Option<String>,
    runbook_url: String,
}

impl Webhook {
    /// With a secret, bodies are signed as `X-PTP-Signature: sha256=HEX`.
    #[must_use]
    pub const fn new(
        destination: Destination,
        secret: Option<Secret>,
        identity: Arc<Identity>,
    ) -> Self {
        Self { destination, secret, identity }
    }

    pub(super) async fn deliver(&mut self, message: &Message) -> Result<Answer, SinkError> {
        let body = body(&self.identity, message);
        let signature = self.secret.as_ref().map(|secret| signature(secret, &body));
        let with_body = |request: reqwest::RequestBuilder| {
            let request = request.header("content-type", "application/cloudevents+json").body(body);
            match signature {
                Some(signature) => request.header("x-ptp-signature", signature),
                None => request,
            }
        };
        self.destination.post(with_body).await
    }
}

fn body(identity: &Identity, message: &Message) -> Vec<u8> {
    let (alert, incident) = (&*message.alert, &*message.incident);
    let status = alert.status.as_str();
    let event = Posted {
        specversion: "1.0",
        id: format!("{}/{status}/{}", alert.incident, alert.timestamp),
        source: "/ptp-agent",
        kind: format!("ptp-agent.incident.{status}"),
        subject: &alert.incident,
        time: alert.timestamp,
        datacontenttype: "application/json",
        data: Data {
            alert,
            incident,
            cluster: identity.cluster.as_deref(),
            labels: &identity.labels,
            incident_url: identity.incident_url(&alert.incident),
            runbook_url: identity.runbook_url(alert.root_cause),
        },
    };
    serde_json::to_vec(&event).expect("reports have no maps with keys that are not texts")
}

fn signature(secret: &Secret, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body);
    format!("sha256={:x}", mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test case 2 of RFC 4231.
    #[test]
    fn the_signature_is_hmac_sha256() {
        assert_eq!(
            signature(&Secret::new("Jefe"), b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
