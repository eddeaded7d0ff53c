//! The nodes' network hardware: which interfaces can do PTP, and with which clock.

use futures_util::StreamExt as _;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Reach;
use super::super::tool::{Answer, Part, Refusal, fit, with_cursor};
use super::access::{Cluster, Output, objects};
use super::conf::Conf;
use super::ethtool::{Timestamping, pairs};
use super::objects::NodePtpDevice;
use super::pods::daemon;
use super::{OfNode, OfNodes, a, cluster, configs, list, maybe, names, object, text};

/// How many interfaces of a node are asked for their clock, and how many at a time.
const MOST_INTERFACES: usize = 48;
const AT_A_TIME: usize = 8;

async fn device(cluster: &Cluster, node: &str) -> Result<NodePtpDevice, Refusal> {
    let node = names::object("node", node)?;
    Ok(cluster.resource("NodePtpDevice", objects("get", "nodeptpdevices"), node).await?)
}

pub(super) fn interfaces_schema() -> Value {
    let interface = object(&[("name", a("string")), ("used_by", list(&a("string")))]);
    let node = object(&[("node", a("string")), ("interfaces", list(&interface))]);
    object(&[
        ("count", a("integer")),
        ("nodes", list(&node)),
        ("usage_read", a("boolean")),
        ("next_cursor?", a("string")),
    ])
}

pub(super) async fn interfaces(reach: &Reach, wanted: OfNodes) -> Result<Answer, Refusal> {
    let cluster = cluster(reach)?;
    let mut devices = match &wanted.node {
        Some(node) => vec![device(cluster, node).await?],
        None => configs::devices(cluster).await?.0,
    };
    devices.sort_by(|one, other| one.node().cmp(other.node()));
    let configs = configs::all(cluster).await;
    let usage_read = configs.is_ok();
    let configs = configs.map(|(configs, _)| configs).unwrap_or_default();
    let rows = devices.iter().map(|device| {
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
        let interfaces: Vec<_> =
            device.interfaces().map(|name| json!({"name": name, "used_by": used(name)})).collect();
        json!({"node": device.node(), "interfaces": interfaces})
    });
    let rows: Vec<_> = rows.collect();
    let count = rows.len();
    let (nodes, next) = Part { limit: wanted.limit, cursor: wanted.cursor }.of(rows)?;
    let quotes = nodes.iter().map(|node| {
        let interfaces = node["interfaces"].as_array().into_iter().flatten();
        let names: Vec<_> = interfaces.map(|interface| text(interface, "name")).collect();
        format!("{}: {}", text(node, "node"), names.join(", "))
    });
    Ok(Answer {
        says: format!("{count} nodes with interfaces that can do PTP."),
        quotes: quotes.collect(),
        data: with_cursor(json!({"count": count, "nodes": nodes, "usage_read": usage_read}), next),
        links: Vec::new(),
    })
}

pub(super) fn info_schema() -> Value {
    let device = object(&[
        ("name", a("string")),
        ("profile", maybe("string")),
        ("hardware", json!({"type": ["object", "null"]})),
    ]);
    object(&[
        ("node", a("string")),
        ("devices", list(&device)),
        ("plugins", list(&a("object"))),
        ("more", a("boolean")),
    ])
}

pub(super) async fn info(reach: &Reach, wanted: OfNode) -> Result<Answer, Refusal> {
    let device = device(cluster(reach)?, &wanted.node).await?;
    let devices = device.status.devices.iter().map(|device| {
        let hardware = device.hardware_info.as_ref().filter(|hardware| hardware.is_object());
        json!({"name": device.name.as_deref().unwrap_or(""), "profile": device.profile, "hardware": hardware})
    });
    let (devices, more) = fit(devices);
    let plugins = device.status.hwconfig.iter().filter(|plugin| plugin.is_object()).take(8);
    let plugins = plugins.map(|plugin| {
        // Their own configuration has no form that we know, and may be long.
        json!({"device": plugin["deviceID"], "vendor": plugin["vendorID"],
            "failed": plugin["failed"], "status": plugin["status"]})
    });
    let plugins: Vec<_> = plugins.collect();
    let told = devices.iter().filter(|device| device["hardware"].is_object()).count();
    let failed = plugins.iter().filter(|plugin| plugin["failed"] == true).count();
    let quotes = devices.iter().map(|device| {
        let of = |field| text(&device["hardware"], field);
        format!(
            "{} {} {} {}",
            text(device, "name"),
            of("pciAddress"),
            of("vpdProductName"),
            of("firmwareVersion")
        )
    });
    Ok(Answer {
        says: format!(
            "{} devices; the operator tells the hardware of {told} of them (older ones tell none). {failed} \
             plugins failed.",
            device.status.devices.len()
        ),
        quotes: quotes.collect(),
        data: json!({"node": device.node(), "devices": devices, "plugins": plugins, "more": more}),
        links: Vec::new(),
    })
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

pub(super) fn map_schema() -> Value {
    let clock = object(&[("phc", a("string")), ("interfaces", list(&a("string")))]);
    let unread = object(&[("interface", a("string")), ("why", a("string"))]);
    object(&[
        ("node", a("string")),
        ("clocks", list(&clock)),
        ("without_clock", list(&a("string"))),
        ("unread", list(&unread)),
        ("left_out", a("integer")),
    ])
}

pub(super) async fn map(reach: &Reach, wanted: OfNode) -> Result<Answer, Refusal> {
    let cluster = cluster(reach)?;
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
    let mut clocks = std::collections::BTreeMap::<u32, Vec<String>>::new();
    let (mut without, mut unread) = (Vec::new(), Vec::new());
    for (interface, stamps) in asked {
        match stamps {
            Ok(Timestamping { phc: Some(number), .. }) => {
                clocks.entry(number).or_default().push(interface);
            }
            Ok(_) => without.push(interface),
            Err(why) => {
                unread.push(json!({"interface": interface, "why": crate::store::chain(&why)}));
            }
        }
    }
    if clocks.is_empty() && without.is_empty() && !unread.is_empty() {
        let why = format!("no interface could be asked; the first: {}", text(&unread[0], "why"));
        return Err(Refusal::NotFound(why));
    }
    let quotes = clocks.iter().map(|(number, on)| format!("/dev/ptp{number}: {}", on.join(", ")));
    let rows = clocks
        .iter()
        .map(|(number, on)| json!({"phc": format!("/dev/ptp{number}"), "interfaces": on}));
    Ok(Answer {
        says: format!(
            "{} hardware clocks; {} interfaces have none, {} could not be asked.",
            clocks.len(),
            without.len(),
            unread.len()
        ),
        quotes: quotes.collect(),
        data: json!({
            "node": of.node, "clocks": rows.collect::<Vec<_>>(), "without_clock": without,
            "unread": unread, "left_out": left_out,
        }),
        links: Vec::new(),
    })
}

/// Which interface of which node.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Interface {
    /// The node's name
    node: String,
    /// The interface's name, such as `ens1f0`
    interface: String,
}

pub(super) fn support_schema() -> Value {
    object(&[
        ("node", a("string")),
        ("interface", a("string")),
        ("hardware_timestamps", a("boolean")),
        ("ethernet_timestamps", a("boolean")),
        ("phc", maybe("string")),
        ("capabilities", list(&a("string"))),
        ("transmit_modes", list(&a("string"))),
        ("receive_filters", list(&a("string"))),
    ])
}

pub(super) async fn support(reach: &Reach, wanted: Interface) -> Result<Answer, Refusal> {
    let interface = names::interface(&wanted.interface)?;
    let cluster = cluster(reach)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let stamps = stamps(cluster, &of.pod, interface).await?;
    let says = match (stamps.in_hardware(), stamps.stamps_ethernet()) {
        (true, true) => "It stamps PTP in hardware, over Ethernet too: fit for G.8275.1.",
        (true, false) => "It stamps in hardware, but not PTP over Ethernet: not fit for G.8275.1.",
        (false, _) => "It does not stamp in hardware: not fit for PTP of a RAN.",
    };
    let mut data = stamps.shown();
    data["node"] = of.node.into();
    data["interface"] = interface.into();
    Ok(Answer { says: says.to_owned(), quotes: stamps.capabilities, data, links: Vec::new() })
}

pub(super) fn nic_schema() -> Value {
    object(&[
        ("node", a("string")),
        ("interface", a("string")),
        ("driver", a("object")),
        ("link", a("object")),
        ("hardware", json!({"type": ["object", "null"]})),
        ("profile", maybe("string")),
    ])
}

pub(super) async fn nic(reach: &Reach, wanted: Interface) -> Result<Answer, Refusal> {
    let interface = names::interface(&wanted.interface)?;
    let cluster = cluster(reach)?;
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
    let quotes = ["driver", "version", "firmware-version", "bus-info"].map(|name| (name, &driver));
    let quotes = quotes.into_iter().chain(["Speed", "Link detected"].map(|name| (name, &link)));
    let quotes = quotes
        .filter_map(|(name, of)| Some(format!("{name}: {}", of.get(name)?.as_str()?)))
        .collect();
    let hardware = known.hardware_info.filter(Value::is_object);
    let data = json!({
        "node": of.node, "interface": interface, "driver": driver, "link": link,
        "hardware": hardware, "profile": known.profile,
    });
    Ok(Answer {
        says: "The interface's driver and link.".to_owned(),
        quotes,
        data,
        links: Vec::new(),
    })
}
