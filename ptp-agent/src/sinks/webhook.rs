//! Anybody's program, by CloudEvents over HTTP.

use hmac::{Hmac, Mac};
use serde_json::json;
use sha2::Sha256;

use super::{Message, SinkError, call};
use crate::secret::Secret;

/// Posts each alert as a structured CloudEvent 1.0.
pub struct Webhook {
    http: reqwest::Client,
    url: Secret,
    secret: Option<Secret>,
}

impl Webhook {
    /// Posts to `url`; with a secret, signed as `X-PTP-Signature: sha256=HEX` over the body.
    #[must_use]
    pub const fn new(http: reqwest::Client, url: Secret, secret: Option<Secret>) -> Self {
        Self { http, url, secret }
    }

    pub(super) async fn deliver(&self, message: &Message) -> Result<(), SinkError> {
        let body = body(message);
        let mut request = self
            .http
            .post(self.url.expose())
            .header("content-type", "application/cloudevents+json");
        if let Some(secret) = &self.secret {
            request = request.header("x-ptp-signature", signature(secret, &body));
        }
        call(request.body(body)).await
    }
}

fn body(message: &Message) -> Vec<u8> {
    let alert = &message.alert;
    let status = alert.status.as_str();
    let event = json!({
        "specversion": "1.0",
        // The same alert, tried again, has the same id.
        "id": format!("{}/{status}/{}", alert.incident, alert.timestamp),
        "source": "/ptp-agent",
        "type": format!("ptp-agent.incident.{status}"),
        "subject": alert.incident,
        "time": alert.timestamp,
        "datacontenttype": "application/json",
        "data": {"alert": &**alert, "incident": &*message.incident},
    });
    event.to_string().into_bytes()
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
