//! The nodes' network hardware: which interfaces can do PTP, and with which clock.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use ptp_linuxptp::conf::Conf;
use ptp_linuxptp::ethtool::{Support, Timestamping, pairs};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::{Cluster, Output, objects};
use super::arguments::{OfNode, OfNodes, cluster};
use super::objects::NodePtpDevice;
use super::pods::daemon;
use super::{configs, names};
use crate::context::Context;
use crate::tool::{Answer, Refusal, fit};

/// How many interfaces of a node are asked for their clock, and how many at a time.
const MOST_INTERFACES: usize = 48;
const AT_A_TIME: usize = 8;
/// How many plugins of a node are shown.
const MOST_PLUGINS: usize = 8;

async fn device(cluster: &Cluster, node: &str) -> Result<NodePtpDevice, Refusal> {
    let node = names::object("a node", node)?;
    Ok(cluster.resource("NodePtpDevice", objects("get", "nodeptpdevices"), node).await?)
}

/// The interfaces of the nodes that can do PTP.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Interfaces {
    /// How many nodes there are.
    count: usize,
    /// The nodes, by name.
    nodes: Vec<NodeInterfaces>,
    /// Whether `PtpConfig`s could be read, to say what uses an interface.
    usage_read: bool,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A node's interfaces.
#[derive(Debug, Serialize, JsonSchema)]
struct NodeInterfaces {
    /// The node.
    node: String,
    /// Its interfaces.
    interfaces: Vec<Used>,
}

/// An interface.
#[derive(Debug, Serialize, JsonSchema)]
struct Used {
    /// Its name.
    name: String,
    /// The profiles that use it, as `PtpConfig/profile`.
    used_by: Vec<String>,
}

pub(super) async fn interfaces(
    context: &Context,
    wanted: OfNodes,
) -> Result<Answer<Interfaces>, Refusal> {
    let cluster = cluster(context)?;
    let mut devices = match &wanted.node {
        Some(node) => vec![device(cluster, node).await?],
        None => configs::devices(cluster).await?.0,
    };
    devices.sort_by(|one, other| one.node().cmp(other.node()));
    let configs = configs::all(cluster).await;
    let usage_read = configs.is_ok();
    let configs = configs.map(|(configs, _)| configs).unwrap_or_default();
    let nodes = devices.iter().map(|device| {
        let used = |interface: &str| -> Vec<String> {
            let given = configs.iter().flat_map(|config| {
                config.profiles_of(device.node()).map(move |profile| (config, profile))
            });
            let using = given.filter(|(_, profile)| {
                let ports = Conf::of(profile).unwrap_or_default().ports;
                ports.iter().any(|(port, _)| port == interface)
            });
            using
                .map(|(c, p)| format!("{}/{}", c.name(), p.name.as_deref().unwrap_or("")))
                .collect()
        };
        let interfaces =
            device.interfaces().map(|name| Used { name: name.to_owned(), used_by: used(name) });
        NodeInterfaces { node: device.node().to_owned(), interfaces: interfaces.collect() }
    });
    let nodes: Vec<_> = nodes.collect();
    let count = nodes.len();
    let (nodes, next_cursor) = wanted.part().of(nodes)?;
    let says = format!("{count} nodes with interfaces that can do PTP.");
    Ok(Answer::new(says, Interfaces { count, nodes, usage_read, next_cursor }))
}

/// What the operator knows of a node's hardware.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Hardware {
    /// The node.
    node: String,
    /// Its devices.
    devices: Vec<DeviceShown>,
    /// The state of its plugins.
    plugins: Vec<Plugin>,
    /// Whether there are more devices.
    more: bool,
}

/// A device.
#[derive(Debug, Serialize, JsonSchema)]
struct DeviceShown {
    /// Its name.
    name: String,
    /// The profile that uses it.
    profile: Option<String>,
    /// What the operator tells of it, as it is; older ones tell nothing.
    hardware: Option<BTreeMap<String, Value>>,
}

/// A plugin's state. Its own configuration has no form that we know, and may be long.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Plugin {
    /// The device.
    #[serde(rename(deserialize = "deviceID"))]
    device: Option<Value>,
    /// Its vendor.
    #[serde(rename(deserialize = "vendorID"))]
    vendor: Option<Value>,
    /// Whether it failed.
    failed: Option<Value>,
    /// Its status.
    status: Option<Value>,
}

pub(super) async fn info(context: &Context, wanted: OfNode) -> Result<Answer<Hardware>, Refusal> {
    let device = device(cluster(context)?, &wanted.node).await?;
    let devices = device.status.devices.iter().map(|device| DeviceShown {
        name: device.name.clone().unwrap_or_default(),
        profile: device.profile.clone(),
        hardware: device.hardware_info.clone().and_then(|known| serde_json::from_value(known).ok()),
    });
    let (devices, more) = fit(devices);
    let plugins = device.status.hwconfig.iter().take(MOST_PLUGINS);
    let plugins: Vec<Plugin> =
        plugins.filter_map(|plugin| serde_json::from_value(plugin.clone()).ok()).collect();
    let told = devices.iter().filter(|device| device.hardware.is_some()).count();
    let failed = plugins.iter().filter(|plugin| plugin.failed == Some(Value::Bool(true))).count();
    let says = format!(
        "{} devices; the operator tells the hardware of {told} of them (older ones tell none). {failed} \
         plugins failed.",
        device.status.devices.len()
    );
    Ok(Answer::new(says, Hardware { node: device.node().to_owned(), devices, plugins, more }))
}

/// What `ethtool -T` says of an interface, or why that is not known.
async fn stamps(cluster: &Cluster, pod: &str, interface: &str) -> Result<Timestamping, Refusal> {
    let output = cluster.exec(pod, &["ethtool", "-T", interface]).await?;
    Timestamping::parse(&output.stdout).ok_or_else(|| refused(&output))
}

fn refused(output: &Output) -> Refusal {
    let said: String = output.first_line().chars().take(200).collect();
    Refusal::NotFound(format!("ethtool does not tell: {said}"))
}

/// Which interfaces share a hardware clock.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ClockMap {
    /// The node.
    node: String,
    /// Its hardware clocks.
    clocks: Vec<HardwareClock>,
    /// Interfaces without one.
    without_clock: Vec<String>,
    /// Interfaces that could not be asked.
    unread: Vec<UnreadInterface>,
    /// How many interfaces were not asked.
    left_out: usize,
}

/// A hardware clock.
#[derive(Debug, Serialize, JsonSchema)]
struct HardwareClock {
    /// Its device, such as `/dev/ptp0`.
    phc: String,
    /// Its interfaces.
    interfaces: Vec<String>,
}

/// An interface that could not be asked.
#[derive(Debug, Serialize, JsonSchema)]
struct UnreadInterface {
    /// Its name.
    interface: String,
    /// Why.
    why: String,
}

pub(super) async fn map(context: &Context, wanted: OfNode) -> Result<Answer<ClockMap>, Refusal> {
    let cluster = cluster(context)?;
    let device = device(cluster, &wanted.node).await?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let all: Vec<String> = device.interfaces().map(str::to_owned).collect();
    let left_out = all.len().saturating_sub(MOST_INTERFACES);
    let asking = all.into_iter().take(MOST_INTERFACES).map(|interface| {
        let (cluster, pod) = (cluster.clone(), of.pod.clone());
        async move {
            let stamps = stamps(&cluster, &pod, &interface).await;
            (interface, stamps)
        }
    });
    let asked: Vec<_> = futures_util::stream::iter(asking).buffered(AT_A_TIME).collect().await;
    let mut found = BTreeMap::<u32, Vec<String>>::new();
    let (mut without_clock, mut unread) = (Vec::new(), Vec::new());
    for (interface, stamps) in asked {
        match stamps {
            Ok(Timestamping { phc: Some(number), .. }) => {
                found.entry(number).or_default().push(interface);
            }
            Ok(_) => without_clock.push(interface),
            Err(why) => {
                unread.push(UnreadInterface { interface, why: ptp_events::chain(&why) });
            }
        }
    }
    if let (true, true, Some(first)) = (found.is_empty(), without_clock.is_empty(), unread.first())
    {
        let why = format!("no interface could be asked; the first: {}", first.why);
        return Err(Refusal::NotFound(why));
    }
    let says = format!(
        "{} hardware clocks; {} interfaces have none, {} could not be asked.",
        found.len(),
        without_clock.len(),
        unread.len()
    );
    let clocks = found
        .into_iter()
        .map(|(number, interfaces)| HardwareClock { phc: format!("/dev/ptp{number}"), interfaces });
    let clocks = clocks.collect();
    Ok(Answer::new(says, ClockMap { node: of.node, clocks, without_clock, unread, left_out }))
}

/// Which interface of which node.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Interface {
    /// The node's name
    node: String,
    /// The interface's name, such as `ens1f0`
    interface: String,
}

/// What an interface can stamp.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct SupportOf {
    /// The node.
    node: String,
    /// The interface.
    interface: String,
    /// What it can stamp, and what that comes to.
    #[serde(flatten)]
    support: Support,
}

pub(super) async fn support(
    context: &Context,
    wanted: Interface,
) -> Result<Answer<SupportOf>, Refusal> {
    let interface = names::interface(&wanted.interface)?;
    let cluster = cluster(context)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let support = stamps(cluster, &of.pod, interface).await?.support();
    let says = match (support.hardware_timestamps, support.ethernet_timestamps) {
        (true, true) => "It stamps PTP in hardware, over Ethernet too: fit for G.8275.1.",
        (true, false) => "It stamps in hardware, but not PTP over Ethernet: not fit for G.8275.1.",
        (false, _) => "It does not stamp in hardware: not fit for PTP of a RAN.",
    };
    Ok(Answer::new(says, SupportOf { node: of.node, interface: interface.to_owned(), support }))
}

/// An interface's driver and link.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Nic {
    /// The node.
    node: String,
    /// The interface.
    interface: String,
    /// Its driver, as `ethtool -i` prints it.
    driver: BTreeMap<String, String>,
    /// Its link, as `ethtool` prints it.
    link: BTreeMap<String, String>,
    /// What the operator tells of it, as it is.
    hardware: Option<BTreeMap<String, Value>>,
    /// The profile that uses it.
    profile: Option<String>,
}

pub(super) async fn nic(context: &Context, wanted: Interface) -> Result<Answer<Nic>, Refusal> {
    let interface = names::interface(&wanted.interface)?;
    let cluster = cluster(context)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let by_driver = ["ethtool", "-i", interface];
    let by_link = ["ethtool", interface];
    let (driver, link, device) = tokio::join!(
        cluster.exec(&of.pod, &by_driver),
        cluster.exec(&of.pod, &by_link),
        device(cluster, &of.node)
    );
    let output = driver?;
    let driver = pairs(&output.stdout);
    if driver.is_empty() {
        return Err(refused(&output));
    }
    let link = pairs(&link?.stdout);
    // What the operator knows is an addition.
    let known =
        device.ok().and_then(|device| device.device(interface).cloned()).unwrap_or_default();
    let of_link = |name: &str| link.get(name).map_or("unknown", String::as_str);
    let says = format!(
        "{} runs {}; link {}, speed {}.",
        interface,
        driver.get("driver").map_or("an unknown driver", String::as_str),
        of_link("Link detected"),
        of_link("Speed")
    );
    Ok(Answer::new(
        says,
        Nic {
            node: of.node,
            interface: interface.to_owned(),
            driver,
            link,
            hardware: known.hardware_info.and_then(|known| serde_json::from_value(known).ok()),
            profile: known.profile,
        },
    ))
}
