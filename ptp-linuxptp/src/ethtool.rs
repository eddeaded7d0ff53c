//! What `ethtool` prints, as data.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

/// How many lines are read; a driver's have some dozens.
const MOST_LINES: usize = 400;

/// What an interface can stamp, as `ethtool -T` prints it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Timestamping {
    /// What it can stamp, such as `hardware-transmit`.
    pub capabilities: Vec<String>,
    /// The number of its PTP hardware clock: 0 is `/dev/ptp0`.
    pub phc: Option<u32>,
    /// Which messages it stamps when it sends.
    pub transmit_modes: Vec<String>,
    /// Which messages it stamps when it receives.
    pub receive_filters: Vec<String>,
}

impl Timestamping {
    /// Reads what was printed; `None` if that is no such answer.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Self::default();
        let mut known = false;
        // Which list the lines that follow belong to.
        let mut list = List::None;
        for line in text.lines().take(MOST_LINES) {
            let indented = line.starts_with(char::is_whitespace);
            let line = line.trim();
            if line.starts_with("Time stamping parameters for ") {
                known = true;
            } else if indented {
                // Older versions add the name of the constant in brackets.
                let word = line.split_whitespace().next().unwrap_or_default().to_owned();
                match list {
                    List::Capabilities => all.capabilities.push(word),
                    List::Transmit => all.transmit_modes.push(word),
                    List::Receive => all.receive_filters.push(word),
                    List::None => {}
                }
            } else if let Some((name, value)) = line.split_once(':') {
                let value = value.trim();
                list = match name {
                    "Capabilities" => List::Capabilities,
                    "Hardware Transmit Timestamp Modes" => List::Transmit,
                    "Hardware Receive Filter Modes" => List::Receive,
                    _ => List::None,
                };
                // `provider index` since ethtool 6.14.
                if matches!(name, "PTP Hardware Clock" | "Hardware timestamp provider index") {
                    all.phc = value.parse().ok();
                }
            }
        }
        known.then_some(all)
    }

    /// Whether ptp4l can run on it with stamps of the hardware.
    #[must_use]
    pub fn in_hardware(&self) -> bool {
        let can = |what: &str| self.capabilities.iter().any(|capability| capability == what);
        self.phc.is_some()
            && ["hardware-transmit", "hardware-receive", "hardware-raw-clock"].into_iter().all(can)
    }

    /// Whether it stamps PTP over Ethernet, as G.8275.1 needs it.
    #[must_use]
    pub fn stamps_ethernet(&self) -> bool {
        let filters = ["all", "ptpv2-event", "ptpv2-l2-event"];
        self.in_hardware()
            && self.transmit_modes.iter().any(|mode| mode == "on")
            && self.receive_filters.iter().any(|filter| filters.contains(&filter.as_str()))
    }

    /// What it comes to.
    #[must_use]
    pub fn support(&self) -> Support {
        Support {
            hardware_timestamps: self.in_hardware(),
            ethernet_timestamps: self.stamps_ethernet(),
            phc: self.phc.map(|number| format!("/dev/ptp{number}")),
            capabilities: self.capabilities.clone(),
            transmit_modes: self.transmit_modes.clone(),
            receive_filters: self.receive_filters.clone(),
        }
    }
}

/// What an interface can stamp, and what that comes to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct Support {
    /// Whether ptp4l can run on it with stamps of the hardware.
    pub hardware_timestamps: bool,
    /// Whether it stamps PTP over Ethernet, as G.8275.1 needs it.
    pub ethernet_timestamps: bool,
    /// Its PTP hardware clock, if it has one.
    pub phc: Option<String>,
    /// What it can stamp, such as hardware-transmit.
    pub capabilities: Vec<String>,
    /// Which messages it stamps when it sends.
    pub transmit_modes: Vec<String>,
    /// Which messages it stamps when it receives.
    pub receive_filters: Vec<String>,
}

#[derive(Clone, Copy)]
enum List {
    None,
    Capabilities,
    Transmit,
    Receive,
}

/// Lines of a name, a colon and a value, as `ethtool -i` and `ethtool` print them; those without a
/// value are left out.
#[must_use]
pub fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    for line in text.lines().take(MOST_LINES) {
        if let Some((name, value)) = line.split_once(':') {
            let (name, value) = (name.trim(), value.trim());
            if !name.is_empty() && !value.is_empty() && !name.starts_with("Settings for") {
                pairs.entry(name.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In the form of ethtool 5.x, with the names of the constants.
    const HARDWARE: &str = "Time stamping parameters for ens1f0:\nCapabilities:\n\
        \thardware-transmit     (SOF_TIMESTAMPING_TX_HARDWARE)\n\tsoftware-transmit\n\
        \thardware-receive      (SOF_TIMESTAMPING_RX_HARDWARE)\n\
        \thardware-raw-clock    (SOF_TIMESTAMPING_RAW_HARDWARE)\nPTP Hardware Clock: 3\n\
        Hardware Transmit Timestamp Modes:\n\toff                   (HWTSTAMP_TX_OFF)\n\
        \ton                    (HWTSTAMP_TX_ON)\nHardware Receive Filter Modes:\n\
        \tnone                  (HWTSTAMP_FILTER_NONE)\n\tall                   (HWTSTAMP_FILTER_ALL)\n";
    /// Printed by ethtool 6.1 of a veth.
    const SOFTWARE: &str = include_str!("testdata/ethtool-T-veth.txt");

    #[test]
    fn stamps_are_told_apart() {
        insta::assert_json_snapshot!(Timestamping::parse(HARDWARE).unwrap().support());
        insta::assert_json_snapshot!(Timestamping::parse(SOFTWARE).unwrap().support());
        let newer = HARDWARE.replace("PTP Hardware Clock", "Hardware timestamp provider index");
        assert_eq!(Timestamping::parse(&newer).unwrap().phc, Some(3));
        let v1 = HARDWARE.replace("\tall", "\tptpv1-l4-event");
        assert!(!Timestamping::parse(&v1).unwrap().stamps_ethernet());
        assert_eq!(Timestamping::parse("netlink error: No such device\n"), None);
        assert_eq!(Timestamping::parse(""), None);
    }

    #[test]
    fn drivers_and_links_are_pairs() {
        let driver = pairs(include_str!("testdata/ethtool-i-veth.txt"));
        assert_eq!(driver["driver"], "veth");
        assert!(!driver.contains_key("firmware-version"));
        let link = pairs(include_str!("testdata/ethtool-veth.txt"));
        assert_eq!(link["Speed"], "10000Mb/s");
        assert_eq!(link["Link detected"], "yes");
    }
}
