//! Ways to write a diagnosis. Text from events is data: escaped for wherever it goes.

mod human;
mod junit;
mod machine;
mod markdown;
mod stability;
mod timeline;

pub(crate) use human::{brief, human, terminal_width};
pub(crate) use junit::junit;
pub(crate) use machine::{json, ndjson};
pub(crate) use markdown::markdown;
