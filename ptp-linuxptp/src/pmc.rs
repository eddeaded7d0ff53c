//! What `pmc` prints, as data.
//!
//! The tool prints a line per answer, with who answers and about what, and a line per field below
//! it (linuxptp, `pmc.c`; outputs of 3.1.1 are in the tests). Which fields there are differs between
//! versions, so all are kept under the names they come with.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

/// How many configurations of ptp4l a node may run; linuxptp-daemon runs a handful.
pub const MOST_CONFIGS: u8 = 16;
/// How many answers, and fields of one, are read: a clock has some dozen ports at most.
const MOST_ANSWERS: usize = 128;
const MOST_FIELDS: usize = 64;

/// The data sets that may be asked for. All are only read: GET.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DataSet {
    /// `DEFAULT_DATA_SET`.
    DefaultDataSet,
    /// `CURRENT_DATA_SET`.
    CurrentDataSet,
    /// `PARENT_DATA_SET`.
    ParentDataSet,
    /// `TIME_PROPERTIES_DATA_SET`.
    TimePropertiesDataSet,
    /// `PORT_DATA_SET`.
    PortDataSet,
    /// `TIME_STATUS_NP`.
    TimeStatusNp,
    /// `GRANDMASTER_SETTINGS_NP`.
    GrandmasterSettingsNp,
    /// `PORT_DATA_SET_NP`.
    PortDataSetNp,
    /// `PORT_PROPERTIES_NP`.
    PortPropertiesNp,
    /// `PORT_STATS_NP`.
    PortStatsNp,
    /// `PORT_SERVICE_STATS_NP`.
    PortServiceStatsNp,
    /// `CLOCK_DESCRIPTION`.
    ClockDescription,
    /// `USER_DESCRIPTION`.
    UserDescription,
    /// `PRIORITY1`.
    #[serde(rename = "PRIORITY1")]
    Priority1,
    /// `PRIORITY2`.
    #[serde(rename = "PRIORITY2")]
    Priority2,
    /// `DOMAIN`.
    Domain,
    /// `SLAVE_ONLY`.
    SlaveOnly,
    /// `CLOCK_ACCURACY`.
    ClockAccuracy,
    /// `TRACEABILITY_PROPERTIES`.
    TraceabilityProperties,
    /// `TIMESCALE_PROPERTIES`.
    TimescaleProperties,
    /// `LOG_ANNOUNCE_INTERVAL`.
    LogAnnounceInterval,
    /// `LOG_SYNC_INTERVAL`.
    LogSyncInterval,
    /// `ANNOUNCE_RECEIPT_TIMEOUT`.
    AnnounceReceiptTimeout,
    /// `DELAY_MECHANISM`.
    DelayMechanism,
    /// `VERSION_NUMBER`.
    VersionNumber,
}

impl DataSet {
    /// All of them.
    pub const ALL: [Self; 25] = [
        Self::DefaultDataSet,
        Self::CurrentDataSet,
        Self::ParentDataSet,
        Self::TimePropertiesDataSet,
        Self::PortDataSet,
        Self::TimeStatusNp,
        Self::GrandmasterSettingsNp,
        Self::PortDataSetNp,
        Self::PortPropertiesNp,
        Self::PortStatsNp,
        Self::PortServiceStatsNp,
        Self::ClockDescription,
        Self::UserDescription,
        Self::Priority1,
        Self::Priority2,
        Self::Domain,
        Self::SlaveOnly,
        Self::ClockAccuracy,
        Self::TraceabilityProperties,
        Self::TimescaleProperties,
        Self::LogAnnounceInterval,
        Self::LogSyncInterval,
        Self::AnnounceReceiptTimeout,
        Self::DelayMechanism,
        Self::VersionNumber,
    ];

    /// As `pmc` calls it, after GET.
    #[must_use]
    pub const fn get(self) -> &'static str {
        match self {
            Self::DefaultDataSet => "GET DEFAULT_DATA_SET",
            Self::CurrentDataSet => "GET CURRENT_DATA_SET",
            Self::ParentDataSet => "GET PARENT_DATA_SET",
            Self::TimePropertiesDataSet => "GET TIME_PROPERTIES_DATA_SET",
            Self::PortDataSet => "GET PORT_DATA_SET",
            Self::TimeStatusNp => "GET TIME_STATUS_NP",
            Self::GrandmasterSettingsNp => "GET GRANDMASTER_SETTINGS_NP",
            Self::PortDataSetNp => "GET PORT_DATA_SET_NP",
            Self::PortPropertiesNp => "GET PORT_PROPERTIES_NP",
            Self::PortStatsNp => "GET PORT_STATS_NP",
            Self::PortServiceStatsNp => "GET PORT_SERVICE_STATS_NP",
            Self::ClockDescription => "GET CLOCK_DESCRIPTION",
            Self::UserDescription => "GET USER_DESCRIPTION",
            Self::Priority1 => "GET PRIORITY1",
            Self::Priority2 => "GET PRIORITY2",
            Self::Domain => "GET DOMAIN",
            Self::SlaveOnly => "GET SLAVE_ONLY",
            Self::ClockAccuracy => "GET CLOCK_ACCURACY",
            Self::TraceabilityProperties => "GET TRACEABILITY_PROPERTIES",
            Self::TimescaleProperties => "GET TIMESCALE_PROPERTIES",
            Self::LogAnnounceInterval => "GET LOG_ANNOUNCE_INTERVAL",
            Self::LogSyncInterval => "GET LOG_SYNC_INTERVAL",
            Self::AnnounceReceiptTimeout => "GET ANNOUNCE_RECEIPT_TIMEOUT",
            Self::DelayMechanism => "GET DELAY_MECHANISM",
            Self::VersionNumber => "GET VERSION_NUMBER",
        }
    }

    /// The same without GET.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.get().trim_start_matches("GET ")
    }
}

/// Where the daemon puts the configuration that also says where ptp4l's socket is. The names are
/// written out so that nothing else can become part of a command.
#[must_use]
pub fn config_path(number: u8) -> &'static str {
    const PATHS: [&str; MOST_CONFIGS as usize] = [
        "/var/run/ptp4l.0.config",
        "/var/run/ptp4l.1.config",
        "/var/run/ptp4l.2.config",
        "/var/run/ptp4l.3.config",
        "/var/run/ptp4l.4.config",
        "/var/run/ptp4l.5.config",
        "/var/run/ptp4l.6.config",
        "/var/run/ptp4l.7.config",
        "/var/run/ptp4l.8.config",
        "/var/run/ptp4l.9.config",
        "/var/run/ptp4l.10.config",
        "/var/run/ptp4l.11.config",
        "/var/run/ptp4l.12.config",
        "/var/run/ptp4l.13.config",
        "/var/run/ptp4l.14.config",
        "/var/run/ptp4l.15.config",
    ];
    PATHS[usize::from(number) % PATHS.len()]
}

/// The command that asks ptp4l on its own node (`-b 0`) over its socket (`-u`).
#[must_use]
pub fn command(config: u8, sets: &[DataSet]) -> Vec<&'static str> {
    let mut command = vec!["pmc", "-u", "-b", "0", "-f", config_path(config)];
    command.extend(sets.iter().map(|set| set.get()));
    command
}

/// An answer of a clock or of one of its ports.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Answer {
    /// Who answers: the clock's identity, `-`, the port's number; port 0 is the clock.
    pub from: String,
    /// Which data set it is.
    pub data_set: String,
    /// Its fields, in the order printed; decimal numbers as such.
    #[serde(serialize_with = "as_object")]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    pub fields: Vec<(String, String)>,
}

fn as_object<S: Serializer>(fields: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(fields.iter().map(|(name, value)| (name, shown(value))))
}

impl Answer {
    /// A field's text.
    #[must_use]
    pub fn get(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, value)| value.as_str())
    }

    /// A field's number.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<f64> {
        self.get(field)?.parse().ok().filter(|number: &f64| number.is_finite())
    }
}

/// A decimal number as one, all else as text: `0x21` and identities stay as they are.
fn shown(text: &str) -> serde_json::Value {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let decimal = plain.starts_with(|c: char| c.is_ascii_digit())
        && plain.chars().all(|c| c.is_ascii_digit() || c == '.')
        && (plain == "0" || plain.starts_with("0.") || !plain.starts_with('0'));
    if decimal {
        if let Ok(number) = text.parse::<i64>() {
            return number.into();
        }
        if let Ok(number) = text.parse::<f64>() {
            return number.into();
        }
    }
    text.into()
}

/// What was printed, taken apart.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Printed {
    /// The answers.
    pub answers: Vec<Answer>,
    /// What was said instead of an answer, such as that a data set is not known.
    pub remarks: Vec<String>,
}

/// Takes apart what `pmc` printed.
#[must_use]
pub fn parse(text: &str) -> Printed {
    let mut printed = Printed::default();
    // Whether fields belong to the last answer.
    let mut open = false;
    for line in text.lines() {
        if line.trim().is_empty() || line.starts_with("sending: ") {
            continue;
        }
        if let Some(field) = line.strip_prefix("\t\t") {
            let (name, value) = field.split_once(char::is_whitespace).unwrap_or((field, ""));
            if let Some(answer) = printed.answers.last_mut().filter(|_| open)
                && answer.fields.len() < MOST_FIELDS
                && answer.get(name).is_none()
            {
                answer.fields.push((name.to_owned(), value.trim().to_owned()));
            }
            continue;
        }
        open = false;
        match line.strip_prefix('\t').and_then(answer) {
            Some(answer) if printed.answers.len() < MOST_ANSWERS => {
                printed.answers.push(answer);
                open = true;
            }
            None if printed.remarks.len() < 20 => {
                printed.remarks.push(line.trim().chars().take(200).collect());
            }
            _ => {}
        }
    }
    printed
}

/// `86a1d7.fffe.538f12-0 seq 0 RESPONSE MANAGEMENT PARENT_DATA_SET`
fn answer(line: &str) -> Option<Answer> {
    let mut words = line.split_whitespace();
    let from = words.next()?;
    let mut rest = words.skip_while(|word| *word != "RESPONSE");
    (rest.next()? == "RESPONSE" && rest.next()? == "MANAGEMENT").then_some(())?;
    let data_set = rest.next()?.to_owned();
    Some(Answer { from: from.to_owned(), data_set, fields: Vec::new() })
}

impl Printed {
    /// The answers about a data set.
    pub fn of(&self, set: DataSet) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(move |answer| answer.data_set == set.name())
    }

    /// The answer about a data set of which a clock has one.
    #[must_use]
    pub fn one(&self, set: DataSet) -> Option<&Answer> {
        self.of(set).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed by pmc 3.1.1, asking a ptp4l with `slaveOnly` that follows another over a veth pair.
    const CLIENT: &str = include_str!("testdata/pmc-client.txt");
    /// The same of the grandmaster.
    const GRANDMASTER: &str = include_str!("testdata/pmc-grandmaster.txt");

    #[test]
    fn every_data_set_of_a_client_is_read() {
        let printed = parse(CLIENT);
        let shown = &printed.answers;
        insta::assert_json_snapshot!("client", shown);
        assert_eq!(printed.remarks, ["bad command: GET PORT_SERVICE_STATS_NP"]);
    }

    #[test]
    fn every_data_set_of_a_grandmaster_is_read() {
        let printed = parse(GRANDMASTER);
        let shown = &printed.answers;
        insta::assert_json_snapshot!("grandmaster", shown);
        let status = printed.one(DataSet::TimeStatusNp).unwrap();
        assert_eq!(status.get("gmPresent"), Some("false"));
        assert_eq!(status.number("master_offset"), Some(0.0));
    }

    #[test]
    fn names_are_those_that_arguments_have() {
        for set in DataSet::ALL {
            let read: DataSet = serde_json::from_value(set.name().into()).unwrap();
            assert_eq!(read, set);
        }
        assert!(serde_json::from_value::<DataSet>("SET_PRIORITY1".into()).is_err());
        assert!(serde_json::from_value::<DataSet>("PARENT_DATA_SET'; rm".into()).is_err());
    }

    #[test]
    fn commands_are_programs_with_arguments() {
        assert_eq!(
            command(2, &[DataSet::ParentDataSet, DataSet::PortDataSet]),
            [
                "pmc",
                "-u",
                "-b",
                "0",
                "-f",
                "/var/run/ptp4l.2.config",
                "GET PARENT_DATA_SET",
                "GET PORT_DATA_SET"
            ]
        );
    }

    #[test]
    fn nothing_that_is_printed_is_too_much() {
        let one = "\tx-1 seq 0 RESPONSE MANAGEMENT PORT_DATA_SET \n".to_owned();
        let text = format!("{}{}", one.repeat(1000), "\t\tfield 1\n".repeat(1000)).repeat(3);
        let printed = parse(&text);
        assert_eq!(printed.answers.len(), MOST_ANSWERS);
        let fields: Vec<_> = (0..1000).map(|n| format!("\t\tf{n} {n}\n")).collect();
        assert_eq!(parse(&(one + &fields.concat())).answers[0].fields.len(), MOST_FIELDS);
        assert_eq!(parse(&"nonsense\n".repeat(1000)).remarks.len(), 20);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text in "(\t|\t\t|)[ -~\u{0}-\u{1f}é]{0,40}(RESPONSE MANAGEMENT X)?\n?") {
            let _ = parse(&text);
        }
    }
}
