//! `PtpConfig`s: what the operator was told, which node got what, and whether that is a profile.

use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::Reach;
use super::super::tool::{Answer, Part, Refusal, fit, with_cursor};
use super::access::{Cluster, objects};
use super::conf::Conf;
use super::g8275::{Outcome, judge};
use super::objects::{NodePtpDevice, Profile, PtpConfig};
use super::{a, cluster, list, maybe, names, object, text};

/// The longest text of a manifest that is shown, in bytes.
const LONGEST_TEXT: usize = 6000;

/// All `PtpConfigs`, and whether there are more than we look at.
pub(super) async fn all(cluster: &Cluster) -> Result<(Vec<PtpConfig>, bool), Refusal> {
    let (mut configs, more): (Vec<PtpConfig>, _) =
        cluster.resources("PtpConfig", objects("list", "ptpconfigs")).await?;
    configs.sort_by(|one, other| one.name().cmp(other.name()));
    Ok((configs, more))
}

pub(super) async fn devices(cluster: &Cluster) -> Result<(Vec<NodePtpDevice>, bool), Refusal> {
    Ok(cluster.resources("NodePtpDevice", objects("list", "nodeptpdevices")).await?)
}

fn row_schema() -> Value {
    object(&[
        ("name", a("string")),
        ("profiles", list(&a("string"))),
        ("nodes", list(&a("string"))),
        ("recommend", list(&a("object"))),
    ])
}

pub(super) fn list_schema() -> Value {
    object(&[
        ("count", a("integer")),
        ("more", a("boolean")),
        ("configs", list(&row_schema())),
        ("operator", a("object")),
        ("next_cursor?", a("string")),
    ])
}

/// How many names a row holds.
const NAMED: usize = 50;

fn row(config: &PtpConfig) -> Value {
    let profiles = config.spec.profile.iter().take(NAMED).map(name_of);
    let recommend = config.spec.recommend.iter().take(NAMED).map(|one| {
        let rules = one.r#match.iter().take(NAMED);
        let rules = rules.map(|rule| json!({"label": rule.node_label, "node": rule.node_name}));
        json!({"profile": one.profile, "priority": one.priority, "match": rules.collect::<Vec<_>>()})
    });
    json!({
        "name": config.name(),
        "profiles": profiles.collect::<Vec<_>>(),
        "nodes": config.nodes().into_iter().take(NAMED).collect::<Vec<_>>(),
        "recommend": recommend.collect::<Vec<_>>(),
    })
}

fn name_of(profile: &Profile) -> String {
    profile.name.clone().unwrap_or_else(|| "(without a name)".to_owned())
}

pub(super) async fn list_configs(reach: &Reach, wanted: Part) -> Result<Answer, Refusal> {
    let cluster = cluster(reach)?;
    let (configs, more) = all(cluster).await?;
    let count = configs.len();
    let (configs, next) = wanted.of(configs.iter().map(row).collect())?;
    let quotes = configs.iter().map(|config| {
        let nodes = config["nodes"].as_array().map_or(0, Vec::len);
        format!("{} for {nodes} nodes: {}", text(config, "name"), super::joined(config, "profiles"))
    });
    Ok(Answer {
        says: format!("{count} PtpConfigs."),
        quotes: quotes.collect(),
        data: with_cursor(
            json!({"count": count, "more": more, "configs": configs, "operator": operator(cluster).await}),
            next,
        ),
        links: Vec::new(),
    })
}

/// What the operator is told, or why that cannot be read: it decides about events alone.
async fn operator(cluster: &Cluster) -> Value {
    let right = objects("get", "ptpoperatorconfigs");
    let found: Result<Value, _> = cluster.resource("PtpOperatorConfig", right, "default").await;
    match found {
        Ok(object) => json!({
            "events": object["spec"]["ptpEventConfig"],
            "node_selector": object["spec"]["daemonNodeSelector"],
            "plugins": object["spec"]["plugins"].as_object().map(|plugins| plugins.keys().collect::<Vec<_>>()),
        }),
        Err(error) => json!({"unread": crate::store::chain(&error)}),
    }
}

/// Which `PtpConfig`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct One {
    /// Its name; `get_ptp_configs` lists them
    name: String,
    /// Only this profile of it
    profile: Option<String>,
}

fn profile_schema() -> Value {
    object(&[
        ("name", a("string")),
        ("ptp4l_options", a("object")),
        ("ports", list(&a("object"))),
        ("ptp4l_opts", maybe("string")),
        ("phc2sys_opts", maybe("string")),
        ("ts2phc_opts", maybe("string")),
        ("threshold_ns", maybe("integer")),
        ("holdover_timeout_s", maybe("integer")),
        ("ptp4l_conf", maybe("string")),
        ("ts2phc_conf", maybe("string")),
        ("phc2sys_conf", maybe("string")),
    ])
}

pub(super) fn one_schema() -> Value {
    object(&[
        ("config", row_schema()),
        ("profiles", list(&profile_schema())),
        ("more", a("boolean")),
    ])
}

fn shortened(text: Option<&str>) -> Option<String> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => Some(format!("{}… ({} bytes in all)", &text[..end], text.len())),
        None => Some(text.to_owned()),
    }
}

/// A profile with its ptp4l options taken apart.
fn shown(profile: &Profile) -> Value {
    let conf = Conf::of(profile).unwrap_or_default();
    let mut global = conf.global.clone();
    global.extend(conf.command_line.clone());
    let ports =
        conf.ports.iter().map(|(name, options)| json!({"interface": name, "options": options}));
    let threshold = profile.ptp_clock_threshold.unwrap_or_default();
    json!({
        "name": name_of(profile),
        "ptp4l_options": global,
        "ports": ports.collect::<Vec<_>>(),
        "ptp4l_opts": shortened(profile.ptp4l_opts.as_deref()),
        "phc2sys_opts": shortened(profile.phc2sys_opts.as_deref()),
        "ts2phc_opts": shortened(profile.ts2phc_opts.as_deref()),
        "threshold_ns": threshold.max_offset_threshold,
        "holdover_timeout_s": threshold.hold_over_timeout,
        "ptp4l_conf": shortened(profile.ptp4l_conf.as_deref()),
        "ts2phc_conf": shortened(profile.ts2phc_conf.as_deref()),
        "phc2sys_conf": shortened(profile.phc2sys_conf.as_deref()),
    })
}

async fn find(cluster: &Cluster, wanted: &One) -> Result<(PtpConfig, Vec<Profile>), Refusal> {
    let name = names::object("PtpConfig", &wanted.name)?;
    let config: PtpConfig =
        cluster.resource("PtpConfig", objects("get", "ptpconfigs"), name).await?;
    let mut profiles = config.spec.profile.clone();
    if let Some(only) = &wanted.profile {
        profiles.retain(|profile| profile.name.as_ref() == Some(only));
        if profiles.is_empty() {
            let why = "the PtpConfig has no profile of that name; get_ptp_configs lists them";
            return Err(Refusal::NotFound(why.to_owned()));
        }
    }
    Ok((config, profiles))
}

pub(super) async fn one(reach: &Reach, wanted: One) -> Result<Answer, Refusal> {
    let (config, profiles) = find(cluster(reach)?, &wanted).await?;
    let count = profiles.len();
    let (profiles, more) = fit(profiles.iter().map(shown));
    Ok(Answer {
        says: format!("{count} profiles."),
        quotes: profiles.iter().map(line).collect(),
        data: json!({"config": row(&config), "profiles": profiles, "more": more}),
        links: Vec::new(),
    })
}

fn line(profile: &Value) -> String {
    let ports = profile["ports"].as_array().into_iter().flatten();
    let ports: Vec<_> = ports.map(|port| text(port, "interface")).collect();
    let domain = text(&profile["ptp4l_options"], "domainNumber");
    format!("{}: domain {domain}, ports {}", text(profile, "name"), ports.join(", "))
}

pub(super) fn node_schema() -> Value {
    let given = object(&[
        ("config", a("string")),
        ("profile", profile_schema()),
        ("interfaces_missing", list(&a("string"))),
    ]);
    object(&[
        ("node", a("string")),
        ("given", list(&given)),
        ("interfaces", json!({"type": ["array", "null"], "items": {"type": "string"}})),
        ("more", a("boolean")),
    ])
}

pub(super) async fn of_node(reach: &Reach, wanted: super::OfNode) -> Result<Answer, Refusal> {
    let cluster = cluster(reach)?;
    let node = names::object("node", &wanted.node)?;
    let (configs, _) = all(cluster).await?;
    let right = objects("get", "nodeptpdevices");
    // Without it the profiles are still worth showing.
    let device: Option<NodePtpDevice> = cluster.resource("NodePtpDevice", right, node).await.ok();
    let interfaces: Option<Vec<&str>> = device.as_ref().map(|device| device.interfaces().collect());
    let mut given = Vec::new();
    for config in &configs {
        for profile in config.profiles_of(node) {
            let ports = Conf::of(profile).unwrap_or_default().ports;
            let missing = ports.iter().map(|(port, _)| port.as_str());
            let known = interfaces.as_deref();
            let missing = missing.filter(|port| known.is_some_and(|known| !known.contains(port)));
            given.push(json!({
                "config": config.name(), "profile": shown(profile),
                "interfaces_missing": missing.collect::<Vec<_>>(),
            }));
        }
    }
    let count = given.len();
    let (given, more) = fit(given.into_iter());
    let none =
        if count == 0 { " No recommendation matches it: PTP does not run there." } else { "" };
    Ok(Answer {
        says: format!("The operator gave the node {count} profiles.{none}"),
        quotes: given
            .iter()
            .map(|one| format!("{} {}", text(one, "config"), line(&one["profile"])))
            .collect(),
        data: json!({"node": node, "given": given, "interfaces": interfaces, "more": more}),
        links: Vec::new(),
    })
}

pub(super) fn validation_schema() -> Value {
    let judged = object(&[
        ("rule", a("string")),
        ("clause", a("string")),
        ("port", maybe("string")),
        ("value", a("string")),
        ("from", a("string")),
        ("expected", a("string")),
        ("outcome", json!({"type": "string", "enum": ["kept", "unusual", "broken"]})),
    ]);
    let profile = object(&[
        ("profile", a("string")),
        ("verdict", json!({"type": "string", "enum": ["conforms", "violates", "not-judged"]})),
        ("role", maybe("string")),
        ("kept", a("integer")),
        ("deviations", list(&judged)),
        ("not_judged", list(&a("string"))),
    ]);
    object(&[("config", a("string")), ("profiles", list(&profile)), ("more", a("boolean"))])
}

pub(super) async fn validate(reach: &Reach, wanted: One) -> Result<Answer, Refusal> {
    let (config, profiles) = find(cluster(reach)?, &wanted).await?;
    let mut quotes = Vec::new();
    let mut violating = 0;
    let mut unjudged = 0;
    let rows = profiles.iter().map(|profile| {
        let judgement = judge(profile);
        violating += usize::from(judgement.verdict() == "violates");
        unjudged += usize::from(judgement.verdict() == "not-judged");
        let (kept, deviations): (Vec<_>, Vec<_>) =
            judgement.judged.iter().partition(|judged| judged.outcome == Outcome::Kept);
        for one in &deviations {
            let port = one.port.as_deref().unwrap_or("the clock");
            quotes.push(format!(
                "{} {port}: {} is {} ({}), expected {}; {}",
                one.outcome.as_str(),
                one.rule,
                one.value,
                one.origin,
                one.expected,
                one.clause
            ));
        }
        json!({
            "profile": name_of(profile), "verdict": judgement.verdict(),
            "role": judgement.role.map(super::g8275::Role::as_str), "kept": kept.len(),
            "deviations": deviations.iter().map(|one| one.shown()).collect::<Vec<_>>(),
            "not_judged": judgement.not_judged,
        })
    });
    let rows: Vec<_> = rows.collect();
    let count = rows.len();
    let (rows, more) = fit(rows.into_iter());
    Ok(Answer {
        says: format!(
            "Of {count} profiles {violating} violate ITU-T G.8275.1 and {unjudged} cannot be judged; \
             `not_judged` names what a configuration does not show."
        ),
        quotes,
        data: json!({"config": config.name(), "profiles": rows, "more": more}),
        links: Vec::new(),
    })
}
