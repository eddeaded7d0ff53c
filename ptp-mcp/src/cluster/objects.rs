//! The operator's objects, as far as they are used: fields of `ptp.openshift.io/v1`.
//!
//! What is missing is missing; what we do not know is passed over.

use kube::core::ObjectMeta;
use ptp_linuxptp::profile::Profile;
use serde::Deserialize;

/// A `PtpConfig`: profiles, and for which nodes they are.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct PtpConfig {
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub spec: PtpConfigSpec,
    #[serde(default)]
    pub status: PtpConfigStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct PtpConfigSpec {
    #[serde(default)]
    pub profile: Vec<Profile>,
    #[serde(default)]
    pub recommend: Vec<Recommend>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Recommend {
    pub profile: Option<String>,
    pub priority: Option<i64>,
    #[serde(default)]
    pub r#match: Vec<Rule>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Rule {
    pub node_label: Option<String>,
    pub node_name: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PtpConfigStatus {
    #[serde(default)]
    pub match_list: Vec<Matched>,
}

/// Which profile the operator gave to which node.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Matched {
    pub node_name: Option<String>,
    /// The profile's name; newer operators write the object's name and `_` before it.
    pub profile: Option<String>,
}

impl PtpConfig {
    pub(super) fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The profiles that the operator gave to `node`.
    pub(super) fn profiles_of<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Profile> {
        let given = self.status.match_list.iter();
        let given = given.filter(move |m| m.node_name.as_deref() == Some(node));
        given.filter_map(|m| {
            let named = m.profile.as_deref()?;
            let short = named.strip_prefix(self.name()).and_then(|rest| rest.strip_prefix('_'));
            let is =
                |p: &&Profile| p.name.as_deref().is_some_and(|n| n == named || Some(n) == short);
            self.spec.profile.iter().find(is)
        })
    }

    /// The nodes it is for.
    pub(super) fn nodes(&self) -> Vec<String> {
        let names = self.status.match_list.iter().filter_map(|m| m.node_name.clone());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names.dedup();
        names
    }
}

/// A `NodePtpDevice`: the interfaces of a node that can do PTP.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct NodePtpDevice {
    pub metadata: ObjectMeta,
    #[serde(default)]
    pub status: DeviceStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct DeviceStatus {
    #[serde(default)]
    pub devices: Vec<Device>,
    /// What plugins say of their hardware, as it is.
    #[serde(default)]
    pub hwconfig: Vec<serde_json::Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device {
    pub name: Option<String>,
    pub profile: Option<String>,
    /// Only newer operators tell; as it is.
    pub hardware_info: Option<serde_json::Value>,
}

impl NodePtpDevice {
    pub(super) fn node(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The interfaces, as far as their names can be used.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = &str> {
        let names = self.status.devices.iter().filter_map(|device| device.name.as_deref());
        names.filter(|name| super::names::is_interface(name))
    }

    pub(super) fn device(&self, interface: &str) -> Option<&Device> {
        self.status.devices.iter().find(|device| device.name.as_deref() == Some(interface))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_profile_is_found_by_either_name() {
        let config: PtpConfig = serde_json::from_value(json!({
            "metadata": {"name": "bc"},
            "spec": {"profile": [{"name": "one"}, {"name": "two", "ptp4lOpts": "-2"}]},
            "status": {"matchList": [
                {"nodeName": "w1", "profile": "two"}, {"nodeName": "w2", "profile": "bc_one"},
                {"nodeName": "w1", "profile": "gone"}, {"nodeName": "w3"}, {},
            ]},
        }))
        .unwrap();
        let of = |node| -> Vec<_> { config.profiles_of(node).map(|p| p.name.clone()).collect() };
        assert_eq!(of("w1"), [Some("two".to_owned())]);
        assert_eq!(of("w2"), [Some("one".to_owned())]);
        assert!(of("w3").is_empty());
        assert_eq!(config.nodes(), ["w1", "w2", "w3"]);
    }
}
