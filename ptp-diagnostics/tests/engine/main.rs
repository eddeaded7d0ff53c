//! The engine, from outside: small stories in, whole answers out; and laws that hold for any story.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod contradictions;
mod fixture;
mod forecasts;
mod laws;
mod outages;
mod shared;
mod starts;
mod stories;
mod topology;
mod visibility;
