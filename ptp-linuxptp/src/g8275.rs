//! Whether a profile keeps to ITU-T G.8275.1, the telecom profile with full timing support.
//!
//! A rule is a row: an option of ptp4l, what it must be, and where that is written
//! (G.8275.1/Y.1369.1 (11/2022), where no other document is named). What a configuration does not
//! show is told as not judged, never as kept.

use schemars::JsonSchema;
use serde::Serialize;

use crate::conf::{Conf, Origin};
use crate::profile::Profile;

/// What a rule came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is so.
    Kept,
    /// Allowed, but rarely meant.
    Unusual,
    /// It is not so.
    Broken,
}

impl Outcome {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Unusual => "unusual",
            Self::Broken => "broken",
        }
    }
}

/// One rule, applied to one port or to the clock.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Judged {
    /// The option of ptp4l.
    pub rule: &'static str,
    /// Where it is written what it must be.
    pub clause: &'static str,
    /// The interface; none for the clock.
    pub port: Option<String>,
    /// Its value.
    pub value: String,
    /// Where the value is from.
    #[serde(rename = "from")]
    pub origin: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// Whether it is so.
    pub outcome: Outcome,
}

/// What a clock is configured to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// T-GM: it takes its time from a receiver.
    Grandmaster,
    /// T-BC: it follows on one port and serves on others.
    Boundary,
    /// T-TSC: it only follows.
    TimeSlave,
}

impl Role {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grandmaster => "T-GM",
            Self::Boundary => "T-BC",
            Self::TimeSlave => "T-TSC",
        }
    }
}

/// The whole judgement of a profile.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Judgement {
    /// What the clock is configured to be; `None` without a configuration.
    pub role: Option<Role>,
    /// Every rule, applied.
    pub judged: Vec<Judged>,
    /// What a configuration does not show.
    pub not_judged: Vec<String>,
}

impl Judgement {
    /// What all rules come to together.
    #[must_use]
    pub fn verdict(&self) -> Conformity {
        if self.judged.is_empty() {
            Conformity::NotJudged
        } else if self.judged.iter().any(|judged| judged.outcome == Outcome::Broken) {
            Conformity::Violates
        } else {
            Conformity::Conforms
        }
    }
}

/// What all rules come to together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Conformity {
    /// No rule is broken.
    Conforms,
    /// A rule is broken.
    Violates,
    /// There is nothing to judge.
    NotJudged,
}

impl Conformity {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Conforms => "conforms",
            Self::Violates => "violates",
            Self::NotJudged => "not-judged",
        }
    }
}

/// An option, what it must be, and where that is written.
struct Rule {
    option: &'static str,
    /// What ptp4l does when it is told nothing (ptp4l(8)).
    default: &'static str,
    /// Whether a port may have its own value.
    of_port: bool,
    expected: &'static str,
    clause: &'static str,
    judge: fn(&str) -> Outcome,
}

fn kept(is: bool) -> Outcome {
    if is { Outcome::Kept } else { Outcome::Broken }
}

fn number(text: &str) -> Option<i64> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None => (text, 10),
    };
    i64::from_str_radix(digits, radix).ok()
}

fn within(text: &str, low: i64, high: i64) -> bool {
    number(text).is_some_and(|number| (low..=high).contains(&number))
}

const RULES: &[Rule] = &[
    Rule {
        option: "domainNumber",
        default: "0",
        of_port: false,
        expected: "24 to 43; 24 unless agreed otherwise",
        clause: "§6.2.1 and Annex A, Table A.1",
        judge: |value| kept(within(value, 24, 43)),
    },
    Rule {
        option: "network_transport",
        default: "UDPv4",
        of_port: true,
        expected: "L2: PTP over Ethernet",
        clause: "Annex A.3, transport (IEEE 1588-2019 Annex E)",
        judge: |value| kept(value == "L2"),
    },
    Rule {
        option: "ptp_dst_mac",
        default: "01:1B:19:00:00:00",
        of_port: true,
        expected: "01:80:C2:00:00:0E or 01:1B:19:00:00:00",
        clause: "Annex A.3, transport; both addresses are allowed",
        judge: |value| {
            let known = ["01:80:C2:00:00:0E", "01:1B:19:00:00:00"];
            kept(known.iter().any(|address| address.eq_ignore_ascii_case(value)))
        },
    },
    Rule {
        option: "dataset_comparison",
        default: "ieee1588",
        of_port: false,
        expected: "G.8275.x: the alternate best master clock algorithm",
        clause: "§6.3",
        judge: |value| kept(value == "G.8275.x"),
    },
    Rule {
        option: "delay_mechanism",
        default: "E2E",
        of_port: true,
        expected: "E2E: delay request and response",
        clause: "Annex A.5, path delay",
        judge: |value| kept(value == "E2E"),
    },
    Rule {
        option: "logAnnounceInterval",
        default: "1",
        of_port: true,
        expected: "-3: 8 messages a second",
        clause: "§6.2, message rates, and Annex A, Table A.5",
        judge: |value| kept(number(value) == Some(-3)),
    },
    Rule {
        option: "logSyncInterval",
        default: "0",
        of_port: true,
        expected: "-4: 16 messages a second",
        clause: "§6.2, message rates, and Annex A, Table A.5",
        judge: |value| kept(number(value) == Some(-4)),
    },
    Rule {
        option: "logMinDelayReqInterval",
        default: "0",
        of_port: true,
        expected: "-4: 16 messages a second",
        clause: "§6.2, message rates, and Annex A, Table A.5",
        judge: |value| kept(number(value) == Some(-4)),
    },
    Rule {
        option: "announceReceiptTimeout",
        default: "3",
        of_port: true,
        expected: "3",
        clause: "Annex A, Table A.5",
        judge: |value| match number(value) {
            Some(3) => Outcome::Kept,
            Some(4..=10) => Outcome::Unusual,
            _ => Outcome::Broken,
        },
    },
    Rule {
        option: "priority1",
        default: "128",
        of_port: false,
        expected: "128: it is not used to choose",
        clause: "§6.3 and Annex A, Table A.1",
        judge: |value| kept(number(value) == Some(128)),
    },
    Rule {
        option: "priority2",
        default: "128",
        of_port: false,
        expected: "0 to 255",
        clause: "Annex A, Table A.1",
        judge: |value| kept(within(value, 0, 255)),
    },
    Rule {
        option: "maxStepsRemoved",
        default: "255",
        of_port: false,
        expected: "1 to 255",
        clause: "Annex A, Table A.1 (IEEE 1588-2019 8.2.1.5.5)",
        judge: |value| kept(within(value, 1, 255)),
    },
    Rule {
        option: "G.8275.defaultDS.localPriority",
        default: "128",
        of_port: false,
        expected: "1 to 255",
        clause: "§6.3 and Annex A, Table A.1",
        judge: |value| kept(within(value, 1, 255)),
    },
    Rule {
        option: "G.8275.portDS.localPriority",
        default: "128",
        of_port: true,
        expected: "1 to 255",
        clause: "§6.3 and Annex A, Table A.5",
        judge: |value| kept(within(value, 1, 255)),
    },
    Rule {
        option: "transportSpecific",
        default: "0",
        of_port: true,
        expected: "0: 1 is IEEE 802.1AS",
        clause: "Annex A.3, transport (IEEE 1588-2019 13.3.2.2, majorSdoId)",
        judge: |value| kept(number(value) == Some(0)),
    },
    Rule {
        option: "hybrid_e2e",
        default: "0",
        of_port: true,
        expected: "0: all messages are multicast",
        clause: "§6.2, messages, and Annex A.3",
        judge: |value| kept(number(value) == Some(0)),
    },
    Rule {
        option: "clock_type",
        default: "OC",
        of_port: false,
        expected: "OC or BC; transparent clocks of the profile are not peer-to-peer",
        clause: "§6.2, types of clocks, and Annex A.3",
        judge: |value| match value {
            "OC" | "BC" => Outcome::Kept,
            "E2E_TC" => Outcome::Unusual,
            _ => Outcome::Broken,
        },
    },
    Rule {
        option: "time_stamping",
        default: "hardware",
        of_port: false,
        expected: "hardware: in software no class of G.8273.2 is within reach",
        clause: "ITU-T G.8273.2 §7, noise generation",
        judge: |value| match value {
            "hardware" | "onestep" | "p2p1step" => Outcome::Kept,
            _ => Outcome::Unusual,
        },
    },
];

/// Judges a profile.
#[must_use]
pub fn judge(profile: &Profile) -> Judgement {
    let Some(conf) = Conf::of(profile) else {
        let why = "the profile has no ptp4lConf (or one longer than 64 KiB): nothing is judged";
        return Judgement { role: None, judged: Vec::new(), not_judged: vec![why.to_owned()] };
    };
    let role = role(profile, &conf);
    let mut judged = Vec::new();
    for rule in RULES {
        if rule.of_port && !conf.ports.is_empty() {
            judged.extend(conf.ports.iter().map(|(port, _)| apply(rule, &conf, Some(port))));
        } else {
            judged.push(apply(rule, &conf, None));
        }
    }
    judged.extend(roles_of_ports(role, &conf));
    Judgement { role: Some(role), judged, not_judged: not_judged(role, &conf) }
}

fn apply(rule: &Rule, conf: &Conf, port: Option<&str>) -> Judged {
    let (value, origin) = conf.value(rule.option, port).unwrap_or((rule.default, Origin::Default));
    Judged {
        rule: rule.option,
        clause: rule.clause,
        port: port.map(str::to_owned),
        value: value.chars().take(80).collect(),
        origin: origin.words(),
        expected: rule.expected,
        outcome: (rule.judge)(value),
    }
}

const SLAVE_ONLY: &[&str] = &["slaveOnly", "clientOnly"];
const MASTER_ONLY: &[&str] = &["masterOnly", "serverOnly"];

fn role(profile: &Profile, conf: &Conf) -> Role {
    let has = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.trim().is_empty());
    let serves = |(port, _): &(String, _)| conf.is_on(MASTER_ONLY, Some(port));
    let leads =
        has(&profile.ts2phc_conf) && !conf.ports.is_empty() && conf.ports.iter().all(serves);
    let claims = conf.value("clockClass", None).is_some_and(|(value, _)| value == "6");
    if conf.is_on(SLAVE_ONLY, None) {
        Role::TimeSlave
    } else if leads || claims {
        Role::Grandmaster
    } else {
        Role::Boundary
    }
}

/// What follows from what the clock is: who may serve, who may follow, and what it may claim.
fn roles_of_ports(role: Role, conf: &Conf) -> Vec<Judged> {
    let mut judged = Vec::new();
    let serves = |port: &str| conf.is_on(MASTER_ONLY, Some(port));
    let mut add = |rule, clause, port: Option<&str>, value: &str, expected, outcome| {
        judged.push(Judged {
            rule,
            clause,
            port: port.map(str::to_owned),
            value: value.to_owned(),
            origin: if port.is_some() { Origin::Port.words() } else { Origin::Global.words() },
            expected,
            outcome,
        });
    };
    for (port, _) in &conf.ports {
        let value = if serves(port) { "1" } else { "0" };
        let (expected, outcome) = match role {
            Role::Grandmaster => ("1: a T-GM follows nobody", kept(serves(port))),
            Role::TimeSlave => ("0: with slaveOnly a port cannot serve", kept(!serves(port))),
            Role::Boundary => ("0 or 1 (notSlave of the first edition)", Outcome::Kept),
        };
        add("masterOnly", "§6.3 and Annex A, Table A.5", Some(port), value, expected, outcome);
        // `ens1f0.100` is a VLAN on ens1f0.
        let is_tagged = port.rsplit_once('.').is_some_and(|(_, id)| within(id, 1, 4094));
        if is_tagged {
            let expected = "an interface without VLAN: frames are not tagged";
            add("interface", "§6.2, transport", Some(port), port, expected, Outcome::Broken);
        }
    }
    if role == Role::Boundary && !conf.ports.is_empty() {
        let followers = conf.ports.iter().filter(|(port, _)| !serves(port)).count();
        let expected = "at least one port that may follow";
        let value = format!("{followers} of {}", conf.ports.len());
        add(
            "masterOnly",
            "§6.3 and Annex A, Table A.5",
            None,
            &value,
            expected,
            kept(followers > 0),
        );
    }
    if let Some((class, _)) = conf.value("clockClass", None).filter(|_| role != Role::Grandmaster) {
        let expected = "no class of a grandmaster (6, 7, 140, 150, 160)";
        let claims = number(class).is_some_and(|class| [6, 7, 140, 150, 160].contains(&class));
        add("clockClass", "§6.4, Table 2", None, class, expected, kept(!claims));
    }
    if conf.unicast_table {
        let expected = "no unicast: all messages are multicast";
        let clause = "§6.2, messages, and Annex A.3";
        add("unicast_master_table", clause, None, "present", expected, Outcome::Broken);
    }
    judged
}

fn not_judged(role: Role, conf: &Conf) -> Vec<String> {
    let mut all: Vec<String> = [
        "whether every network element on the path takes part (full timing support, §6.1): a \
         configuration does not show it",
        "frequency from the physical layer (SyncE, G.8262): see synce4lConf and get_daemon_logs",
        "clockClass, clockAccuracy and offsetScaledLogVariance as announced (§6.4): the daemon sets \
         them while running; see get_grandmaster_status",
        "noise and time error (G.8273.2): measure them, or see diagnose --stability",
    ]
    .map(str::to_owned)
    .into();
    if conf.ports.is_empty() {
        all.push("ports: the configuration names no interface".to_owned());
    }
    if role == Role::TimeSlave {
        all.push("priority2 of a T-TSC: it announces nothing".to_owned());
    }
    if !conf.unreadable.is_empty() {
        let lines = conf.unreadable.iter().take(10).map(usize::to_string).collect::<Vec<_>>();
        all.push(format!("lines of ptp4lConf that are no option: {}", lines.join(", ")));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    fn judged(opts: &str, conf: &str, ts2phc: Option<&str>) -> String {
        let judgement = judge(&Profile {
            ptp4l_opts: Some(opts.to_owned()),
            ptp4l_conf: Some(conf.to_owned()),
            ts2phc_conf: ts2phc.map(str::to_owned),
            ..Profile::default()
        });
        let role = judgement.role.map_or("none", Role::as_str);
        let mut out = format!("{} {role}\n", judgement.verdict().as_str());
        for one in judgement.judged.iter().filter(|one| one.outcome != Outcome::Kept) {
            let port = one.port.as_deref().unwrap_or("clock");
            let Judged { rule, value, origin, clause, .. } = one;
            let outcome = one.outcome.as_str();
            writeln!(out, "{outcome} {port} {rule}={value} ({origin}) {clause}").unwrap();
        }
        out
    }

    const GOOD: &str = "[global]\ndomainNumber 24\ndataset_comparison G.8275.x\n\
        logAnnounceInterval -3\nlogSyncInterval -4\nlogMinDelayReqInterval -4\nclock_type OC\n";

    #[test]
    fn a_time_slave_that_keeps_to_it() {
        let conf = format!("[ens1f0]\nmasterOnly 0\n{GOOD}");
        insta::assert_snapshot!(judged("-2 -s", &conf, None), @"conforms T-TSC");
        let conf = conf.replace("24", "0x2b");
        insta::assert_snapshot!(judged("-2 --slaveOnly=1", &conf, None), @"conforms T-TSC");
    }

    #[test]
    fn a_boundary_clock_and_a_grandmaster_that_keep_to_it() {
        let conf =
            format!("[ens1f0]\nmasterOnly 0\n[ens1f1]\nserverOnly 1\n{GOOD}network_transport L2\n");
        insta::assert_snapshot!(judged("", &conf, None), @"conforms T-BC");
        let conf = format!("[ens1f0]\nmasterOnly 1\n{GOOD}clockClass 6\n");
        insta::assert_snapshot!(judged("-2", &conf, Some("[global]\n")), @"conforms T-GM");
    }

    #[test]
    fn the_defaults_of_ptp4l_break_most_rules() {
        insta::assert_snapshot!(judged("", "[ens1f0]\n[global]\n", None));
    }

    #[test]
    fn what_a_clock_is_decides_about_its_ports() {
        let conf = format!(
            "[ens1f0]\nmasterOnly 1\n[ens1f1.100]\nmasterOnly 1\nlogSyncInterval 0\n{GOOD}\
             clockClass 7\nannounceReceiptTimeout 5\n[unicast_master_table]\ntable_id 1\n"
        );
        insta::assert_snapshot!(judged("-2", &conf, None));
        let conf = format!("[ens1f0]\nmasterOnly 1\n{GOOD}time_stamping software\nhybrid_e2e 1\n");
        insta::assert_snapshot!(judged("-2 -s", &conf, None));
        let conf = format!("[ens1f0]\n{GOOD}clockClass 6\nptp_dst_mac 01:00:5E:00:01:81\n");
        insta::assert_snapshot!(judged("-2 -P", &conf, Some("x")));
    }

    #[test]
    fn without_a_configuration_nothing_is_judged() {
        let judgement = judge(&Profile::default());
        assert_eq!(judgement.verdict(), Conformity::NotJudged);
        assert!(judgement.judged.is_empty() && judgement.not_judged.len() == 1);
    }
}
