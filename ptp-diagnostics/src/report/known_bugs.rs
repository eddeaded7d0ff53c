//! Known bugs of publishers, daemons, linuxptp and drivers that look like an incident: their numbers, and
//! what mends them. Read in the threads that are named; nothing here was tried on hardware.

use serde::{Deserialize, Serialize};

use crate::incidents::incident::Incident;
use crate::model::stage::Stage;
use crate::model::symptom::Symptom;
use crate::text::Text;

/// A bug that looks like an incident.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct KnownBug {
    /// Its number where it is tracked.
    pub id: Text,
    /// What is wrong, in one sentence.
    pub summary: Text,
    /// What mends it; `open` where nothing does yet.
    pub mended: Text,
    /// Where to read more.
    pub source: Text,
}

impl KnownBug {
    /// What is wrong, and what mends it, in one line.
    #[must_use]
    pub fn in_one_line(&self) -> String {
        match &*self.mended {
            "open" => format!("{}; not mended yet", self.summary),
            mended => format!("{}; mended: {mended}", self.summary),
        }
    }
}

/// When a bug looks like an incident: its cause breaks one of these stages first (none: any), all of these
/// symptoms are seen, and findings say each of these words.
#[derive(Clone, Copy, Debug)]
struct Looks {
    stages: &'static [Stage],
    seen: &'static [Symptom],
    says: &'static [&'static str],
}

/// How many are told of one incident: the first are the likeliest.
const MOST: usize = 3;

const fn looks(stages: &'static [Stage], seen: &'static [Symptom]) -> Looks {
    Looks { stages, seen, says: &[] }
}

impl Looks {
    const fn says(self, words: &'static [&'static str]) -> Self {
        Self { says: words, ..self }
    }
}

const fn bug(
    id: &'static str,
    summary: &'static str,
    mended: &'static str,
    source: &'static str,
) -> KnownBug {
    let (id, summary) = (Text::Borrowed(id), Text::Borrowed(summary));
    KnownBug { id, summary, mended: Text::Borrowed(mended), source: Text::Borrowed(source) }
}

const GAPS: &str = "the operator project's T-GM gap list of 2026-08-20";

static TABLE: &[(Looks, KnownBug)] = &[
    (
        looks(&[Stage::Artefact], &[]).says(&["OCPBUGS-85092"]),
        bug(
            "OCPBUGS-85092",
            "after a restart of cloud-event-proxy an old port state overwrites the present one, and the state sticks at FREERUN or HOLDOVER",
            "OpenShift 4.22.2; until then restart linuxptp-daemon's pod",
            "github.com/openshift/openshift-docs/pull/114031",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[]).says(&["OCPBUGS-84900"]),
        bug(
            "OCPBUGS-84900, -88369",
            "two publishers speak for one system clock and contradict each other",
            "no version is named yet",
            "docs/diagnosis.md §6",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[]).says(&["OCPBUGS-98868"]),
        bug(
            "OCPBUGS-98868",
            "a boundary clock goes on announcing class 6 in holdover",
            "linuxptp-daemon of 2026-07-20 (pull request 628)",
            "github.com/openshift/linuxptp-daemon/pull/628",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[]).says(&["ptp-operator#93"]),
        bug(
            "ptp-operator#93",
            "a clock without an interface appears, in HOLDOVER or FREERUN, beside the real ones",
            "open",
            "github.com/k8snetworkplumbingwg/ptp-operator/issues/93",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[Symptom::Contradiction]),
        bug(
            "OCPBUGS-95587",
            "the metric clock_state says 0, which is FREERUN, for HOLDOVER, and goes stale",
            "linuxptp-daemon of 2026-07-20 (pull request 628)",
            "github.com/openshift/linuxptp-daemon/pull/628",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[Symptom::Contradiction]),
        bug(
            "OCPBUGS-77871, -77881, -84240",
            "the class of a boundary clock is never told again after a restart of cloud-event-proxy",
            "OpenShift 4.20 (-77881), 4.21 (-77871) and 4.22 (-84240), z-streams of spring 2026",
            "github.com/openshift/linuxptp-daemon/pull/589",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[]),
        bug(
            "BZ#2092275",
            "with two cards a clock that is LOCKED is told as HOLDOVER or FREERUN",
            "after OpenShift 4.11.0",
            "OpenShift 4.11 release notes, known issues",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[]),
        bug(
            "BZ#2091441",
            "a boundary clock with one card that is LOCKED is told as FREERUN",
            "after OpenShift 4.11.0",
            "OpenShift 4.11 release notes, known issues",
        ),
    ),
    (
        looks(&[Stage::Receiver], &[Symptom::NoFix]).says(&["FREERUN"]),
        bug(
            "ptp-operator#6",
            "a grandmaster's holdover is over after 16 min instead of 4 h, as MaxInSpecOffset is 100 ns by default",
            "the default is 1500 ns since 2025-01; set MaxInSpecOffset before",
            "github.com/k8snetworkplumbingwg/ptp-operator/issues/6",
        ),
    ),
    (
        looks(&[Stage::Receiver], &[Symptom::NoFix, Symptom::NoLockSinceStart]),
        bug(
            "OCPBUGS-31600, -31597",
            "GNSS never synchronises with ptp-operator 4.15.0-202403281339, as a lost source is not noted",
            "OpenShift 4.15 z-stream of April 2024",
            "github.com/openshift/linuxptp-daemon/pull/290",
        ),
    ),
    (
        looks(&[Stage::Receiver], &[]).says(&["class 140", "FREERUN"]),
        bug(
            "T-GM gap G1",
            "out of specification a grandmaster sends FREERUN together with class 140, where it should stay in HOLDOVER",
            "open",
            GAPS,
        ),
    ),
    (
        looks(&[Stage::Dpll], &[Symptom::DpllUnlocked]),
        bug(
            "OCPBUGS-17526",
            "class 140 is not announced when a DPLL without a source leaves its specification",
            "OpenShift 4.14",
            "github.com/openshift/linuxptp-daemon/pull/204",
        ),
    ),
    (
        looks(&[Stage::Class], &[Symptom::ClassAlone]),
        bug(
            "OCPBUGS-46370",
            "the class of a grandmaster is wrong when LocalHoldoverTimeout ends before MaxInSpecOffset is reached",
            "OpenShift 4.18",
            "github.com/openshift/linuxptp-daemon/pull/383",
        ),
    ),
    (
        looks(&[Stage::Artefact], &[Symptom::Contradiction]),
        bug(
            "OCPBUGS-29102",
            "a slave port that goes down does not make its clock FREERUN",
            "OpenShift 4.15 z-stream of February 2024",
            "github.com/openshift/linuxptp-daemon/pull/267",
        ),
    ),
    (
        looks(&[], &[Symptom::AtThreshold]),
        bug(
            "OCPBUGS-51311",
            "maxOffsetThreshold of 100 ns below MaxInSpecOffset of 1500 ns makes every recovery a FREERUN",
            "set both alike",
            "the reference configuration's thread",
        ),
    ),
    (
        looks(&[Stage::TimeOfDay, Stage::Os], &[Symptom::WholeSeconds]).says(&["37"]),
        bug(
            "OCPBUGS-37044",
            "phc2sys 3.1.1 with -w leaves the system clock off by TAI-UTC, 37 s",
            "linuxptp 4; or -O -37 in phc2sysOpts in place of -w",
            "github.com/openshift-kni/cnf-features-deploy/pull/1968",
        ),
    ),
    (
        looks(&[Stage::TimeOfDay], &[Symptom::TimeOfDayLost]),
        bug(
            "linuxptp 63fc1ef",
            "ts2phc 3.1.1 says `unable to find utc time in leap second table`, as it takes the receiver's time for 1970",
            "linuxptp 4.0",
            "github.com/jclark/rpi-cm4-ptp-guide/issues/1",
        ),
    ),
    (
        looks(&[Stage::TimeOfDay], &[Symptom::TimeOfDayLost]),
        bug(
            "rpi-cm4-ptp-guide#20",
            "ts2phc ignores every time once the leap second file of the distribution has expired",
            "a newer /usr/share/zoneinfo/leap-seconds.list (package tzdata)",
            "github.com/jclark/rpi-cm4-ptp-guide/issues/20",
        ),
    ),
    (
        looks(&[Stage::TimeOfDay], &[Symptom::TimeOfDayLost]),
        bug(
            "OCPBUGS-39187, -39322, -39174",
            "around a leap second the daemon takes NMEA for lost",
            "OpenShift 4.17 (-39187) and 4.18 (-39322)",
            "github.com/openshift/linuxptp-daemon/pull/358",
        ),
    ),
    (
        looks(&[Stage::Process], &[Symptom::Restarted]),
        bug(
            "OCPBUGS-20185, -22325",
            "with two cards ptp4l is restarted at every reconcile, as profiles have no fixed order",
            "OpenShift 4.12 z-stream of November 2023 (-20185), 4.14",
            "github.com/openshift/ptp-operator/pull/382",
        ),
    ),
    (
        looks(&[Stage::Process], &[Symptom::Restarted]),
        bug(
            "T-GM gap G5",
            "a process that is restarted within seconds sends FREERUN and LOCKED, where 5 s should pass in silence",
            "open",
            GAPS,
        ),
    ),
    (
        looks(&[Stage::Os], &[Symptom::Contended]),
        bug(
            "OCPBUGS-90708, -91642, -82519",
            "chronyd takes up its sources again after it was told to go offline, and fights phc2sys",
            "OpenShift 4.22 and z-streams of July 2026",
            "github.com/openshift/linuxptp-daemon/pull/614",
        ),
    ),
    (
        looks(&[Stage::Os], &[Symptom::Contended]),
        bug(
            "linuxptp-daemon#37",
            "the host's chronyd runs on beside phc2sys, which then jitters in bursts",
            "never merged: disable chronyd in the MachineConfig",
            "github.com/openshift/linuxptp-daemon/pull/37",
        ),
    ),
    (
        looks(&[Stage::Os], &[Symptom::HighOffset, Symptom::NoLockEver]),
        bug(
            "OCPBUGS-85586, -94177, -95068, -97788",
            "phc2sys begins before its card has the time, and the large offset takes long to settle",
            "OpenShift 4.20 to 4.22, z-streams of July 2026",
            "github.com/openshift/linuxptp-daemon/pull/618",
        ),
    ),
    (
        looks(&[Stage::Os], &[Symptom::Unsteered]),
        bug(
            "OCPBUGS-100049",
            "a grandmaster's NTP failover blocks, and nothing steers the system clock",
            "linuxptp-daemon of 2026-08-04 (pull request 630)",
            "github.com/openshift/linuxptp-daemon/pull/630",
        ),
    ),
    (
        looks(&[Stage::Ptp, Stage::Dpll], &[Symptom::NoLockSinceStart]),
        bug(
            "OCPBUGS-99070",
            "a boundary clock's ts2phc begins before its source is qualified",
            "linuxptp-daemon of 2026-08-04 (pull request 630)",
            "github.com/openshift/linuxptp-daemon/pull/630",
        ),
    ),
    (
        looks(&[Stage::Dpll], &[Symptom::DpllUnlocked]),
        bug(
            "OCPBUGS-83706",
            "the input pins of an E825 that serves as a boundary clock are not set",
            "OpenShift 4.22",
            "github.com/openshift/linuxptp-daemon/pull/587",
        ),
    ),
    (
        looks(&[], &[Symptom::TimestampsMissed]),
        bug(
            "BZ#2095782",
            "an E810 needs longer than ptp4l waits for a transmit timestamp",
            "tx_timestamp_timeout 50 in ptp4lConf",
            "github.com/openshift/openshift-docs/pull/48000",
        ),
    ),
    (
        looks(&[], &[Symptom::TimestampsMissed]),
        bug(
            "raspberrypi/linux#5947",
            "with linuxptp 4.0 to 4.2 a Broadcom PHY gives no transmit timestamps",
            "linuxptp 3.1.1, or one-step operation (twoStepFlag 0)",
            "github.com/raspberrypi/linux/issues/5947",
        ),
    ),
    (
        looks(&[], &[Symptom::TimestampsMissed]),
        bug(
            "raspberrypi/linux#7515",
            "a CM5 misses transmit timestamps with Linux 6.12, and did not with 6.6",
            "open",
            "github.com/raspberrypi/linux/issues/7515",
        ),
    ),
    (
        looks(&[], &[Symptom::Saturated]),
        bug(
            "raspberrypi/linux#4151",
            "the clock of a BCM54210PE cannot be steered with a 32-bit kernel: its correction stands at the limit",
            "a 64-bit kernel",
            "github.com/raspberrypi/linux/issues/4151",
        ),
    ),
    (
        looks(&[], &[Symptom::Noise, Symptom::NegativeDelay]),
        bug(
            "ethernet-linux-ice#26",
            "the clock and the PHY timers of an E823-C drift against each other: rms of 200 ns while locked",
            "open",
            "github.com/intel/ethernet-linux-ice/issues/26",
        ),
    ),
    (
        looks(&[], &[Symptom::ConfigurationRefused]),
        bug(
            "ethernet-linux-ixgbe#46",
            "the out-of-tree driver 6.4 of an E610 refuses hardware timestamping",
            "open; the kernel's own driver works",
            "github.com/intel/ethernet-linux-ixgbe/issues/46",
        ),
    ),
];

/// All of them.
pub fn all() -> impl Iterator<Item = &'static KnownBug> {
    TABLE.iter().map(|(_, bug)| bug)
}

/// The bugs that look like this incident.
pub(crate) fn known_bugs(incident: &Incident) -> Vec<KnownBug> {
    let stage = incident.diagnosis.cause.cause().stage;
    let told = |words: &&str| incident.findings.iter().any(|finding| finding.says.contains(*words));
    let fits = |looks: &Looks| {
        (looks.stages.is_empty() || looks.stages.contains(&stage))
            && looks.seen.iter().all(|symptom| incident.seen.get(*symptom) == Some(true))
            && looks.says.iter().all(told)
    };
    let fitting = TABLE.iter().filter(|(looks, _)| fits(looks));
    fitting.map(|(_, bug)| bug.clone()).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bug_says_what_it_is_and_what_mends_it() {
        assert!(TABLE.len() >= 25);
        for (looks, bug) in TABLE {
            assert!(!bug.mended.is_empty() && !bug.source.is_empty(), "{}", bug.id);
            // One that looks like everything helps nobody.
            let any = looks.stages.is_empty() && looks.seen.is_empty() && looks.says.is_empty();
            assert!(!any, "{}", bug.id);
        }
    }
}
