//! `PtpConfig`s: what the operator was told, which node got what, and whether that is a profile.

use std::collections::BTreeMap;

use ptp_linuxptp::conf::Conf;
use ptp_linuxptp::g8275::{Conformity, Judged, Outcome, Role, judge};
use ptp_linuxptp::profile::Profile;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::access::{Cluster, objects};
use super::arguments::{OfNode, cluster};
use super::names;
use super::objects::{NodePtpDevice, PtpConfig};
use crate::context::Context;
use crate::tool::{Answer, Part, Refusal, fit};

/// The longest text of a manifest that is shown, in characters.
const LONGEST_TEXT: usize = 6000;
/// How many names a row holds.
const NAMED: usize = 50;

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

/// All `PtpConfig`s in a line each.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Configs {
    /// How many there are.
    count: usize,
    /// Whether there are more than were looked at.
    more: bool,
    /// The configurations, by name.
    configs: Vec<ConfigLine>,
    /// How the operator is configured.
    operator: Operator,
    /// For the next question, as `cursor`; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A `PtpConfig` in a line.
#[derive(Debug, Serialize, JsonSchema)]
struct ConfigLine {
    /// Its name.
    name: String,
    /// Its profiles, by name.
    profiles: Vec<String>,
    /// The nodes that the operator gave them to.
    nodes: Vec<String>,
    /// For which nodes they are recommended.
    recommend: Vec<Recommended>,
}

/// For which nodes a profile is recommended.
#[derive(Debug, Serialize, JsonSchema)]
struct Recommended {
    /// The profile.
    profile: Option<String>,
    /// Its priority; the least goes first.
    priority: Option<i64>,
    /// What a node must be.
    r#match: Vec<Matches>,
}

/// What a node must be.
#[derive(Debug, Serialize, JsonSchema)]
struct Matches {
    /// A label it has.
    label: Option<String>,
    /// Its name.
    node: Option<String>,
}

impl ConfigLine {
    fn new(config: &PtpConfig) -> Self {
        let recommend = config.spec.recommend.iter().take(NAMED).map(|one| {
            let rules = one.r#match.iter().take(NAMED);
            let rules = rules.map(|rule| Matches {
                label: rule.node_label.clone(),
                node: rule.node_name.clone(),
            });
            Recommended {
                profile: one.profile.clone(),
                priority: one.priority,
                r#match: rules.collect(),
            }
        });
        Self {
            name: config.name().to_owned(),
            profiles: config.spec.profile.iter().take(NAMED).map(name_of).collect(),
            nodes: config.nodes().into_iter().take(NAMED).collect(),
            recommend: recommend.collect(),
        }
    }
}

fn name_of(profile: &Profile) -> String {
    profile.name.clone().unwrap_or_else(|| "(without a name)".to_owned())
}

/// What the operator is told, or why that cannot be read: it decides about events alone.
#[derive(Debug, Default, Serialize, JsonSchema)]
struct Operator {
    /// How events are published, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Value>,
    /// On which nodes the daemon runs, by label.
    #[serde(skip_serializing_if = "Option::is_none")]
    node_selector: Option<Value>,
    /// Its plugins, by name.
    plugins: Vec<String>,
    /// Why that could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<String>,
}

/// A `PtpOperatorConfig`, as far as it is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OperatorConfig {
    spec: OperatorSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct OperatorSpec {
    ptp_event_config: Option<Value>,
    daemon_node_selector: Option<Value>,
    plugins: Option<BTreeMap<String, Value>>,
}

async fn operator(cluster: &Cluster) -> Operator {
    let right = objects("get", "ptpoperatorconfigs");
    let found = cluster.resource::<OperatorConfig>("PtpOperatorConfig", right, "default").await;
    match found {
        Ok(OperatorConfig { spec }) => Operator {
            events: spec.ptp_event_config,
            node_selector: spec.daemon_node_selector,
            plugins: spec.plugins.unwrap_or_default().into_keys().collect(),
            unread: None,
        },
        Err(error) => Operator { unread: Some(ptp_events::chain(&error)), ..Operator::default() },
    }
}

pub(super) async fn list_configs(
    context: &Context,
    wanted: Part,
) -> Result<Answer<Configs>, Refusal> {
    let cluster = cluster(context)?;
    let (configs, more) = all(cluster).await?;
    let count = configs.len();
    let (configs, next_cursor) = wanted.of(configs.iter().map(ConfigLine::new).collect())?;
    let operator = operator(cluster).await;
    let says = format!("{count} PtpConfigs.");
    Ok(Answer::new(says, Configs { count, more, configs, operator, next_cursor }))
}

/// Which `PtpConfig`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct One {
    /// Its name; `get_ptp_configs` lists them
    name: String,
    /// Only this profile of it
    #[serde(default)]
    profile: Option<String>,
}

/// A `PtpConfig`.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Whole {
    /// The configuration.
    config: ConfigLine,
    /// Its profiles.
    profiles: Vec<ProfileShown>,
    /// Whether there are more.
    more: bool,
}

/// A profile with its ptp4l options taken apart.
#[derive(Debug, Serialize, JsonSchema)]
struct ProfileShown {
    /// Its name.
    name: String,
    /// The options of ptp4l for all ports, the command line first.
    ptp4l_options: BTreeMap<String, String>,
    /// The ports, and what goes for each alone.
    ports: Vec<PortShown>,
    /// The command line of ptp4l.
    ptp4l_opts: Option<String>,
    /// The command line of phc2sys.
    phc2sys_opts: Option<String>,
    /// The command line of ts2phc.
    ts2phc_opts: Option<String>,
    /// The offset over which its publisher calls a clock FREERUN, in nanoseconds.
    threshold_ns: Option<u64>,
    /// How long HOLDOVER lasts, in seconds.
    holdover_timeout_s: Option<u64>,
    /// The configuration of ptp4l.
    ptp4l_conf: Option<String>,
    /// The configuration of ts2phc.
    ts2phc_conf: Option<String>,
    /// The configuration of phc2sys.
    phc2sys_conf: Option<String>,
}

/// A port.
#[derive(Debug, Serialize, JsonSchema)]
struct PortShown {
    /// Its interface.
    interface: String,
    /// Its options.
    options: BTreeMap<String, String>,
}

fn shortened(text: Option<&str>) -> Option<String> {
    let text = text.filter(|text| !text.trim().is_empty())?;
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => Some(format!("{}… ({} bytes in all)", &text[..end], text.len())),
        None => Some(text.to_owned()),
    }
}

impl ProfileShown {
    fn new(profile: &Profile) -> Self {
        let conf = Conf::of(profile).unwrap_or_default();
        let mut global = conf.global;
        global.extend(conf.command_line);
        let ports = conf.ports.into_iter();
        let ports = ports.map(|(interface, options)| PortShown { interface, options });
        let threshold = profile.ptp_clock_threshold.unwrap_or_default();
        Self {
            name: name_of(profile),
            ptp4l_options: global,
            ports: ports.collect(),
            ptp4l_opts: shortened(profile.ptp4l_opts.as_deref()),
            phc2sys_opts: shortened(profile.phc2sys_opts.as_deref()),
            ts2phc_opts: shortened(profile.ts2phc_opts.as_deref()),
            threshold_ns: threshold.max_offset_threshold,
            holdover_timeout_s: threshold.hold_over_timeout,
            ptp4l_conf: shortened(profile.ptp4l_conf.as_deref()),
            ts2phc_conf: shortened(profile.ts2phc_conf.as_deref()),
            phc2sys_conf: shortened(profile.phc2sys_conf.as_deref()),
        }
    }
}

async fn find(cluster: &Cluster, wanted: &One) -> Result<(PtpConfig, Vec<Profile>), Refusal> {
    let name = names::object("a PtpConfig", &wanted.name)?;
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

pub(super) async fn one(context: &Context, wanted: One) -> Result<Answer<Whole>, Refusal> {
    let (config, profiles) = find(cluster(context)?, &wanted).await?;
    let says = format!("{} profiles.", profiles.len());
    let (profiles, more) = fit(profiles.iter().map(ProfileShown::new));
    Ok(Answer::new(says, Whole { config: ConfigLine::new(&config), profiles, more }))
}

/// What a node was given.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct GivenTo {
    /// The node.
    node: String,
    /// The profiles.
    given: Vec<Given>,
    /// The node's interfaces that can do PTP; absent where that cannot be read.
    interfaces: Option<Vec<String>>,
    /// Whether there are more profiles.
    more: bool,
}

/// A profile that a node was given.
#[derive(Debug, Serialize, JsonSchema)]
struct Given {
    /// The `PtpConfig` it stands in.
    config: String,
    /// The profile.
    profile: ProfileShown,
    /// Ports in it that the node does not have.
    interfaces_missing: Vec<String>,
}

pub(super) async fn of_node(context: &Context, wanted: OfNode) -> Result<Answer<GivenTo>, Refusal> {
    let cluster = cluster(context)?;
    let node = names::object("a node", &wanted.node)?;
    let (configs, _) = all(cluster).await?;
    let right = objects("get", "nodeptpdevices");
    // Without it the profiles are still worth showing.
    let device: Option<NodePtpDevice> = cluster.resource("NodePtpDevice", right, node).await.ok();
    let interfaces: Option<Vec<String>> =
        device.map(|device| device.interfaces().map(str::to_owned).collect());
    let mut given = Vec::new();
    for config in &configs {
        for profile in config.profiles_of(node) {
            let ports = Conf::of(profile).unwrap_or_default().ports;
            let missing = ports.into_iter().map(|(port, _)| port);
            let known = interfaces.as_deref();
            let missing = missing.filter(|port| known.is_some_and(|known| !known.contains(port)));
            given.push(Given {
                config: config.name().to_owned(),
                profile: ProfileShown::new(profile),
                interfaces_missing: missing.collect(),
            });
        }
    }
    let count = given.len();
    let (given, more) = fit(given.into_iter());
    let none =
        if count == 0 { " No recommendation matches it: PTP does not run there." } else { "" };
    let says = format!("The operator gave the node {count} profiles.{none}");
    Ok(Answer::new(says, GivenTo { node: node.to_owned(), given, interfaces, more }))
}

/// Whether the profiles of a `PtpConfig` keep to G.8275.1.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Validation {
    /// The `PtpConfig`.
    config: String,
    /// Its profiles.
    profiles: Vec<ProfileJudged>,
    /// Whether there are more.
    more: bool,
}

/// A profile, judged.
#[derive(Debug, Serialize, JsonSchema)]
struct ProfileJudged {
    /// Its name.
    profile: String,
    /// What it comes to.
    verdict: Conformity,
    /// What the clock is configured to be: T-GM, T-BC or T-TSC.
    role: Option<&'static str>,
    /// How many rules are kept.
    kept: usize,
    /// The rules that are not, or in an unusual way.
    deviations: Vec<Judged>,
    /// What a configuration does not show.
    not_judged: Vec<String>,
}

pub(super) async fn validate(
    context: &Context,
    wanted: One,
) -> Result<Answer<Validation>, Refusal> {
    let (config, profiles) = find(cluster(context)?, &wanted).await?;
    let judged = profiles.iter().map(|profile| {
        let judgement = judge(profile);
        let (verdict, role) = (judgement.verdict(), judgement.role.map(Role::as_str));
        let (kept, deviations): (Vec<_>, Vec<_>) =
            judgement.judged.into_iter().partition(|judged| judged.outcome == Outcome::Kept);
        ProfileJudged {
            profile: name_of(profile),
            verdict,
            role,
            kept: kept.len(),
            deviations,
            not_judged: judgement.not_judged,
        }
    });
    let judged: Vec<_> = judged.collect();
    let those = |verdict| judged.iter().filter(|profile| profile.verdict == verdict).count();
    let says = format!(
        "Of {} profiles {} violate ITU-T G.8275.1 and {} cannot be judged; `not_judged` names what a \
         configuration does not show.",
        judged.len(),
        those(Conformity::Violates),
        those(Conformity::NotJudged)
    );
    let (profiles, more) = fit(judged.into_iter());
    Ok(Answer::new(says, Validation { config: config.name().to_owned(), profiles, more }))
}
