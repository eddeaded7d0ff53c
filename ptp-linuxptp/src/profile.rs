//! A profile of a `PtpConfig`: what linuxptp-daemon starts its processes with.

use serde::{Deserialize, Serialize};

/// A profile, as far as it is used: fields of `ptp.openshift.io/v1`.
///
/// What is missing is missing; what is not known is passed over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its name.
    pub name: Option<String>,
    /// The one interface of an ordinary clock.
    pub interface: Option<String>,
    /// The command line of ptp4l.
    #[serde(rename = "ptp4lOpts")]
    pub ptp4l_opts: Option<String>,
    /// The configuration file of ptp4l.
    #[serde(rename = "ptp4lConf")]
    pub ptp4l_conf: Option<String>,
    /// The command line of phc2sys.
    #[serde(rename = "phc2sysOpts")]
    pub phc2sys_opts: Option<String>,
    /// The configuration file of phc2sys.
    #[serde(rename = "phc2sysConf")]
    pub phc2sys_conf: Option<String>,
    /// The command line of ts2phc.
    #[serde(rename = "ts2phcOpts")]
    pub ts2phc_opts: Option<String>,
    /// The configuration file of ts2phc.
    #[serde(rename = "ts2phcConf")]
    pub ts2phc_conf: Option<String>,
    /// When its publisher calls a clock FREERUN.
    pub ptp_clock_threshold: Option<Threshold>,
}

/// When a publisher calls a clock FREERUN.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Threshold {
    /// How long HOLDOVER lasts at most, in seconds.
    pub hold_over_timeout: Option<u64>,
    /// The greatest offset of a LOCKED clock, in nanoseconds.
    pub max_offset_threshold: Option<u64>,
}
