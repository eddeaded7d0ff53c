//! The engine, from outside: small stories in, whole answers out; and laws that hold for any story.

mod fixture;
mod laws;
mod stories;
