//! ptp4l asked for its data sets: on one node, and on all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use ptp_linuxptp::conf::Conf;
use ptp_linuxptp::hierarchy::{Clock, Placed, SETS, tree};
use ptp_linuxptp::pmc::{self, DataSet, Printed, command, parse};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::access::Cluster;
use super::arguments::{OfClocks, cluster};
use super::objects::PtpConfig;
use super::pods::{Daemon, daemon, daemons};
use super::{configs, names};
use crate::context::Context;
use crate::tool::{Answer, Refusal, fit};

/// How many nodes are asked at a time.
const AT_A_TIME: usize = 8;
/// How long asking all of them may take: a tool has 30 s.
const ALTOGETHER: Duration = Duration::from_secs(24);
/// How many ptp4l of one node are asked.
const MOST_CLOCKS: usize = 4;
/// How many data sets are asked for at once.
const MOST_SETS: usize = 8;

/// Asks a ptp4l; an answer without a data set is none.
pub(super) async fn ask(
    cluster: &Cluster,
    pod: &str,
    config: u8,
    sets: &[DataSet],
) -> Result<Printed, Refusal> {
    let output = cluster.exec(pod, &command(config, sets)).await?;
    let printed = parse(&output.stdout);
    if !printed.answers.is_empty() {
        return Ok(printed);
    }
    let said = match (output.stderr.trim(), printed.remarks.first()) {
        ("", None) if output.stdout.contains("sending: ") => {
            "no ptp4l answered what pmc asked".to_owned()
        }
        ("", Some(remark)) => remark.clone(),
        _ => output.first_line().chars().take(200).collect(),
    };
    Err(Refusal::NotFound(format!("pmc with ptp4l.{config}.config on {pod}: {said}")))
}

/// What is asked of ptp4l.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Query {
    /// The node's name
    node: String,
    /// The data sets, one to eight
    #[schemars(length(min = 1, max = 8))]
    data_sets: Vec<DataSet>,
    /// Which ptp4l of the node, by the number in its configuration's name; 0 unless given
    #[serde(default)]
    #[schemars(range(max = 15))]
    config: Option<u8>,
}

/// What ptp4l answered.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answers {
    /// The node.
    node: String,
    /// The number of the configuration.
    config: u8,
    /// The answers.
    answers: Vec<pmc::Answer>,
    /// Data sets without an answer.
    unanswered: Vec<&'static str>,
    /// What was said instead of an answer.
    remarks: Vec<String>,
    /// Whether there are more answers.
    more: bool,
}

pub(super) async fn query(context: &Context, wanted: Query) -> Result<Answer<Answers>, Refusal> {
    if !(1..=MOST_SETS).contains(&wanted.data_sets.len()) {
        return Err(Refusal::Arguments(format!("`data_sets` must name one to {MOST_SETS}")));
    }
    let config = names::config(wanted.config)?;
    let cluster = cluster(context)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let printed = ask(cluster, &of.pod, config, &wanted.data_sets).await?;
    let unanswered = wanted.data_sets.iter().filter(|set| printed.one(**set).is_none());
    let unanswered: Vec<_> = unanswered.map(|set| set.name()).collect();
    let says =
        format!("{} answers, {} data sets without one.", printed.answers.len(), unanswered.len());
    let Printed { answers, remarks, .. } = printed;
    let (answers, more) = fit(answers.into_iter());
    Ok(Answer::new(says, Answers { node: of.node, config, answers, unanswered, remarks, more }))
}

/// A ptp4l that was asked, and what came of it.
struct Asked {
    node: String,
    config: u8,
    printed: Result<Printed, String>,
}

/// How many ptp4l the operator's profiles start on a node.
fn clocks_of(node: &str, configs: &[PtpConfig]) -> u8 {
    let profiles = configs.iter().flat_map(|config| config.profiles_of(node));
    let count = profiles.filter(|profile| Conf::of(profile).is_some()).count();
    u8::try_from(count.clamp(1, MOST_CLOCKS)).unwrap_or(1)
}

/// Asks the clocks of the nodes, some at a time; whoever is not reached in time is told as such.
/// Whether there are more nodes than were asked comes with it.
async fn ask_all(
    cluster: &Cluster,
    wanted: &OfClocks,
    sets: &'static [DataSet],
) -> Result<(Vec<Asked>, usize), Refusal> {
    let node = wanted.node.as_deref().map(|node| names::object("a node", node)).transpose()?;
    let limit = wanted.limit.unwrap_or(20).clamp(1, 100);
    let of: Vec<Daemon> = match node {
        Some(_) => vec![daemon(cluster, node).await?],
        None => daemons(&cluster.daemons(None).await?.0),
    };
    // Without them one ptp4l per node is asked.
    let configs = configs::all(cluster).await.map(|(configs, _)| configs).unwrap_or_default();
    let left_out = of.len().saturating_sub(limit);
    let asked = of.into_iter().take(limit).flat_map(|daemon| {
        let count = clocks_of(&daemon.node, &configs);
        (0..count).map(move |config| (daemon.clone(), config))
    });
    let asked: Vec<_> = asked.collect();
    let end = Instant::now() + ALTOGETHER;
    let asking = asked.into_iter().map(|(daemon, config)| {
        let cluster = cluster.clone();
        async move {
            let asking = ask(&cluster, &daemon.pod, config, sets);
            let printed = match tokio::time::timeout_at(end, asking).await {
                Ok(outcome) => outcome.map_err(|error| ptp_events::chain(&error)),
                Err(_) => Err("there was no time left to ask it".to_owned()),
            };
            Asked { node: daemon.node, config, printed }
        }
    });
    Ok((futures_util::stream::iter(asking).buffered(AT_A_TIME).collect().await, left_out))
}

/// A clock that could not be asked.
#[derive(Debug, Serialize, JsonSchema)]
struct Unread {
    /// Its node.
    node: String,
    /// The number of its configuration.
    config: u8,
    /// Why.
    why: String,
}

fn unread(asked: &[Asked]) -> Vec<Unread> {
    let unread = asked.iter().filter_map(|asked| {
        let why = asked.printed.as_ref().err()?.clone();
        Some(Unread { node: asked.node.clone(), config: asked.config, why })
    });
    unread.collect()
}

/// If nobody could be asked, that is the answer.
fn or_refuse(asked: &[Asked]) -> Result<(), Refusal> {
    if asked.is_empty() {
        let why = "there is no pod of linuxptp-daemon to ask; see list_ptp_pods";
        return Err(Refusal::NotFound(why.to_owned()));
    }
    let mut whys = asked.iter().map(|asked| asked.printed.as_ref().err());
    match whys.next() {
        Some(Some(first)) if whys.all(|why| why.is_some()) => {
            Err(Refusal::NotFound(format!("no clock could be asked; the first: {first}")))
        }
        _ => Ok(()),
    }
}

/// Which grandmaster each clock follows.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Grandmasters {
    /// The grandmasters, each with who follows it.
    grandmasters: Vec<Grandmaster>,
    /// Clocks that could not be asked.
    unread: Vec<Unread>,
    /// How many nodes were not asked.
    left_out: usize,
    /// Whether there are more grandmasters.
    more: bool,
}

/// A grandmaster.
#[derive(Debug, Serialize, JsonSchema)]
struct Grandmaster {
    /// Its identity.
    grandmaster: String,
    /// Its class.
    class: Option<i64>,
    /// Its accuracy.
    accuracy: Option<String>,
    /// Its variance.
    variance: Option<String>,
    /// Its first priority.
    priority1: Option<i64>,
    /// Its second priority.
    priority2: Option<i64>,
    /// Where it has its time from.
    time_source: Option<String>,
    /// Whether its time is traceable.
    time_traceable: Option<bool>,
    /// Whether its frequency is traceable.
    frequency_traceable: Option<bool>,
    /// Who follows it.
    clocks: Vec<Follower>,
}

/// A clock that follows.
#[derive(Debug, Serialize, JsonSchema)]
struct Follower {
    /// Its node.
    node: String,
    /// The number of its configuration.
    config: u8,
    /// Whether it is the grandmaster itself.
    is_itself: bool,
    /// Whether ptp4l says that the grandmaster is present.
    present: Option<bool>,
    /// How many steps away it is.
    steps: Option<i64>,
    /// How far it is off its master, in nanoseconds.
    offset_ns: Option<f64>,
}

const GRANDMASTER: [DataSet; 5] = [
    DataSet::DefaultDataSet,
    DataSet::ParentDataSet,
    DataSet::CurrentDataSet,
    DataSet::TimeStatusNp,
    DataSet::TimePropertiesDataSet,
];

pub(super) async fn grandmasters(
    context: &Context,
    wanted: OfClocks,
) -> Result<Answer<Grandmasters>, Refusal> {
    let (asked, left_out) = ask_all(cluster(context)?, &wanted, &GRANDMASTER).await?;
    or_refuse(&asked)?;
    let mut found: BTreeMap<String, Grandmaster> = BTreeMap::new();
    for Asked { node, config, printed } in &asked {
        let Ok(printed) = printed else { continue };
        let Some(parent) = printed.one(DataSet::ParentDataSet) else { continue };
        let identity = parent.get("grandmasterIdentity").unwrap_or("unknown").to_owned();
        let text = |field| parent.get(field).map(str::to_owned);
        let integer = |field| parent.get(field).and_then(|text| text.parse::<i64>().ok());
        let properties = printed.one(DataSet::TimePropertiesDataSet);
        let flag = |field| properties.and_then(|p| p.get(field)).map(|text| text == "1");
        let entry = found.entry(identity.clone()).or_insert_with(|| Grandmaster {
            grandmaster: identity.clone(),
            class: integer("gm.ClockClass"),
            accuracy: text("gm.ClockAccuracy"),
            variance: text("gm.OffsetScaledLogVariance"),
            priority1: integer("grandmasterPriority1"),
            priority2: integer("grandmasterPriority2"),
            time_source: properties.and_then(|p| p.get("timeSource")).map(str::to_owned),
            time_traceable: flag("timeTraceable"),
            frequency_traceable: flag("frequencyTraceable"),
            clocks: Vec::new(),
        });
        let own = printed.one(DataSet::DefaultDataSet).and_then(|own| own.get("clockIdentity"));
        let current = printed.one(DataSet::CurrentDataSet);
        let present = printed.one(DataSet::TimeStatusNp).and_then(|status| status.get("gmPresent"));
        entry.clocks.push(Follower {
            node: node.clone(),
            config: *config,
            is_itself: own == Some(identity.as_str()),
            present: present.map(|text| text == "true"),
            steps: current.and_then(|c| c.get("stepsRemoved")?.parse().ok()),
            offset_ns: current.and_then(|current| current.number("offsetFromMaster")),
        });
    }
    let unread = unread(&asked);
    let says = format!(
        "{} grandmasters seen by {} clocks; {} clocks could not be asked, {left_out} nodes were not.",
        found.len(),
        asked.len() - unread.len(),
        unread.len()
    );
    let (grandmasters, more) = fit(found.into_values());
    Ok(Answer::new(says, Grandmasters { grandmasters, unread, left_out, more }))
}

/// Who follows whom.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Hierarchy {
    /// The clocks, each after its parent.
    clocks: Vec<Placed>,
    /// Clocks that could not be asked.
    unread: Vec<Unread>,
    /// How many nodes were not asked.
    left_out: usize,
    /// Whether there are more clocks.
    more: bool,
}

pub(super) async fn hierarchy(
    context: &Context,
    wanted: OfClocks,
) -> Result<Answer<Hierarchy>, Refusal> {
    let (mut asked, left_out) = ask_all(cluster(context)?, &wanted, &SETS).await?;
    or_refuse(&asked)?;
    let mut clocks = Vec::new();
    for asked in &mut asked {
        let Ok(printed) = &asked.printed else { continue };
        match Clock::of(&asked.node, asked.config, printed) {
            Some(clock) => clocks.push(clock),
            None => asked.printed = Err("it did not say who it is and whom it follows".to_owned()),
        }
    }
    let unread = unread(&asked);
    let says = format!(
        "{} clocks; {} could not be asked, {left_out} nodes were not.",
        clocks.len(),
        unread.len()
    );
    let placed = tree(&clocks).into_iter().map(|(depth, clock)| Placed::new(depth, clock, &clocks));
    let (placed, more) = fit(placed);
    Ok(Answer::new(says, Hierarchy { clocks: placed, unread, left_out, more }))
}
