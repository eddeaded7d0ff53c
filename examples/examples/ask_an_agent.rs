//! What fires at a running agent: `cargo run -p ptp-examples --features live --example ask_an_agent [URL]`.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use ptp_api::{Client, Http, IncidentsQuery};
use ptp_events::client::Tls;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or("http://127.0.0.1:8081".to_owned());
    let agent = Client::new(Arc::new(Http::new(&url, None, &Tls::platform())?));
    let firing = IncidentsQuery { status: Some("firing".to_owned()), ..IncidentsQuery::default() };
    for incident in agent.incidents(&firing).await?.items {
        println!("{} {} since {}", incident.severity, incident.summary, incident.opened_at);
    }
    Ok(())
}
