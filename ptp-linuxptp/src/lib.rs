//! What linuxptp's tools print and read, as data.
//!
//! Nothing here runs anything, or asks anybody: texts go in, types come out.
//!
//! - [`pmc`]: the answers of ptp4l to management messages, and the commands that ask for them.
//! - [`conf`]: a profile's `ptp4l.conf` and command line, taken together as ptp4l does.
//! - [`g8275`]: whether that keeps to ITU-T G.8275.1, rule by rule.
//! - [`hierarchy`]: who follows whom, from what several clocks say of their parents.
//! - [`ethtool`]: what an interface can stamp.
//!
//! What linuxptp *logs* is read by `ptp-events`, as it is evidence like any event.
//!
//! ```
//! use ptp_linuxptp::pmc::{DataSet, parse};
//!
//! let printed = parse("\t86a1d7.fffe.538f12-0 seq 0 RESPONSE MANAGEMENT PARENT_DATA_SET\n\t\tgm.ClockClass 6\n");
//! assert_eq!(printed.one(DataSet::ParentDataSet).and_then(|set| set.get("gm.ClockClass")), Some("6"));
//! ```

pub mod conf;
pub mod ethtool;
pub mod g8275;
pub mod hierarchy;
pub mod pmc;
pub mod profile;

/// The README's examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
