//! ptp4l asked for its data sets: on one node, and on all of them.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use rmcp::schemars::{self, JsonSchema};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::Reach;
use super::super::tool::{Answer, Refusal, fit};
use super::access::Cluster;
use super::conf::Conf;
use super::hierarchy::{Clock, SETS, shown, tree};
use super::objects::PtpConfig;
use super::pmc::{DataSet, Printed, command, parse};
use super::pods::{Daemon, daemon, daemons};
use super::{OfClocks, a, cluster, configs, list, maybe, names, object, text};

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
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Query {
    /// The node's name
    node: String,
    /// The data sets, one to eight
    #[schemars(length(min = 1, max = 8))]
    data_sets: Vec<DataSet>,
    /// Which ptp4l of the node, by the number in its configuration's name; 0 unless given
    #[schemars(range(max = 15))]
    config: Option<u8>,
}

pub(super) fn query_schema() -> Value {
    let answer =
        object(&[("from", a("string")), ("data_set", a("string")), ("fields", a("object"))]);
    object(&[
        ("node", a("string")),
        ("config", a("integer")),
        ("answers", list(&answer)),
        ("unanswered", list(&a("string"))),
        ("remarks", list(&a("string"))),
        ("more", a("boolean")),
    ])
}

pub(super) async fn query(reach: &Reach, wanted: Query) -> Result<Answer, Refusal> {
    if !(1..=MOST_SETS).contains(&wanted.data_sets.len()) {
        return Err(Refusal::Arguments(format!("`data_sets` must name one to {MOST_SETS}")));
    }
    let config = names::config(wanted.config)?;
    let cluster = cluster(reach)?;
    let of = daemon(cluster, Some(&wanted.node)).await?;
    let printed = ask(cluster, &of.pod, config, &wanted.data_sets).await?;
    let unanswered = wanted.data_sets.iter().filter(|set| printed.one(**set).is_none());
    let unanswered: Vec<_> = unanswered.map(|set| set.name()).collect();
    let (answers, more) = fit(printed.answers.iter().map(super::pmc::Answer::shown));
    let quotes = printed.answers.iter().map(|answer| {
        let fields = answer.fields.iter().take(12);
        let fields: Vec<_> = fields.map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} {}: {}", answer.from, answer.data_set, fields.join(" "))
    });
    Ok(Answer {
        says: format!(
            "{} answers, {} data sets without one.",
            printed.answers.len(),
            unanswered.len()
        ),
        quotes: quotes.collect(),
        data: json!({
            "node": of.node, "config": config, "answers": answers, "unanswered": unanswered,
            "remarks": printed.remarks, "more": more,
        }),
        links: Vec::new(),
    })
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
    let node = wanted.node.as_deref().map(|node| names::object("node", node)).transpose()?;
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
                Ok(outcome) => outcome.map_err(|error| crate::store::chain(&error)),
                Err(_) => Err("there was no time left to ask it".to_owned()),
            };
            Asked { node: daemon.node, config, printed }
        }
    });
    Ok((futures_util::stream::iter(asking).buffered(AT_A_TIME).collect().await, left_out))
}

fn unread_schema() -> Value {
    list(&object(&[("node", a("string")), ("config", a("integer")), ("why", a("string"))]))
}

fn unread(asked: &[Asked]) -> Vec<Value> {
    let unread = asked.iter().filter_map(|asked| {
        let why = asked.printed.as_ref().err()?;
        Some(json!({"node": asked.node, "config": asked.config, "why": why}))
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

pub(super) fn grandmasters_schema() -> Value {
    let clock = object(&[
        ("node", a("string")),
        ("config", a("integer")),
        ("is_itself", a("boolean")),
        ("present", maybe("boolean")),
        ("steps", maybe("integer")),
        ("offset_ns", maybe("number")),
    ]);
    let grandmaster = object(&[
        ("grandmaster", a("string")),
        ("class", maybe("integer")),
        ("accuracy", maybe("string")),
        ("variance", maybe("string")),
        ("priority1", maybe("integer")),
        ("priority2", maybe("integer")),
        ("time_source", maybe("string")),
        ("time_traceable", maybe("boolean")),
        ("frequency_traceable", maybe("boolean")),
        ("clocks", list(&clock)),
    ]);
    object(&[
        ("grandmasters", list(&grandmaster)),
        ("unread", unread_schema()),
        ("left_out", a("integer")),
        ("more", a("boolean")),
    ])
}

const GRANDMASTER: [DataSet; 5] = [
    DataSet::DefaultDataSet,
    DataSet::ParentDataSet,
    DataSet::CurrentDataSet,
    DataSet::TimeStatusNp,
    DataSet::TimePropertiesDataSet,
];

pub(super) async fn grandmasters(reach: &Reach, wanted: OfClocks) -> Result<Answer, Refusal> {
    let (asked, left_out) = ask_all(cluster(reach)?, &wanted, &GRANDMASTER).await?;
    or_refuse(&asked)?;
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for Asked { node, config, printed } in &asked {
        let Ok(printed) = printed else { continue };
        let Some(parent) = printed.one(DataSet::ParentDataSet) else { continue };
        let identity = parent.get("grandmasterIdentity").unwrap_or("unknown").to_owned();
        let integer = |field| parent.get(field).and_then(|text| text.parse::<i64>().ok());
        let properties = printed.one(DataSet::TimePropertiesDataSet);
        let flag = |field| properties.and_then(|p| p.get(field)).map(|text| text == "1");
        let entry = found.entry(identity.clone()).or_insert_with(|| {
            json!({
                "grandmaster": identity, "class": integer("gm.ClockClass"),
                "accuracy": parent.get("gm.ClockAccuracy"),
                "variance": parent.get("gm.OffsetScaledLogVariance"),
                "priority1": integer("grandmasterPriority1"),
                "priority2": integer("grandmasterPriority2"),
                "time_source": properties.and_then(|p| p.get("timeSource")),
                "time_traceable": flag("timeTraceable"),
                "frequency_traceable": flag("frequencyTraceable"),
                "clocks": [],
            })
        });
        let own = printed.one(DataSet::DefaultDataSet).and_then(|own| own.get("clockIdentity"));
        let current = printed.one(DataSet::CurrentDataSet);
        let present = printed.one(DataSet::TimeStatusNp).and_then(|status| status.get("gmPresent"));
        let clock = json!({
            "node": node, "config": config, "is_itself": own == Some(identity.as_str()),
            "present": present.map(|text| text == "true"),
            "steps": current.and_then(|c| c.get("stepsRemoved")?.parse::<i64>().ok()),
            "offset_ns": current.and_then(|current| current.number("offsetFromMaster")),
        });
        if let Some(clocks) = entry["clocks"].as_array_mut() {
            clocks.push(clock);
        }
    }
    let unread = unread(&asked);
    let count = found.len();
    let (grandmasters, more) = fit(found.into_values());
    let quotes = grandmasters.iter().map(|grandmaster| {
        let clocks = grandmaster["clocks"].as_array().into_iter().flatten();
        let nodes: Vec<_> = clocks.map(|clock| text(clock, "node")).take(8).collect();
        format!(
            "{} class {}: {}",
            text(grandmaster, "grandmaster"),
            grandmaster["class"],
            nodes.join(", ")
        )
    });
    Ok(Answer {
        says: format!(
            "{count} grandmasters seen by {} clocks; {} clocks could not be asked, {left_out} nodes were not.",
            asked.len() - unread.len(),
            unread.len()
        ),
        quotes: quotes.collect(),
        data: json!({"grandmasters": grandmasters, "unread": unread, "left_out": left_out, "more": more}),
        links: Vec::new(),
    })
}

pub(super) fn hierarchy_schema() -> Value {
    let clock = object(&[
        ("node", a("string")),
        ("config", a("integer")),
        ("clock", a("string")),
        ("depth", a("integer")),
        ("part", a("string")),
        ("domain", maybe("integer")),
        ("parent", maybe("string")),
        ("parent_node", maybe("string")),
        ("parent_outside", a("boolean")),
        ("grandmaster", a("string")),
        ("class", maybe("integer")),
        ("steps", maybe("integer")),
        ("ports", list(&a("object"))),
    ]);
    object(&[
        ("clocks", list(&clock)),
        ("unread", unread_schema()),
        ("left_out", a("integer")),
        ("more", a("boolean")),
    ])
}

pub(super) async fn hierarchy(reach: &Reach, wanted: OfClocks) -> Result<Answer, Refusal> {
    let (mut asked, left_out) = ask_all(cluster(reach)?, &wanted, &SETS).await?;
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
    let rows = tree(&clocks);
    let quotes = rows.iter().map(|(depth, clock)| {
        format!(
            "{}{} {} ({})",
            "  ".repeat(*depth),
            clock.node,
            clock.part().as_str(),
            clock.identity
        )
    });
    let quotes = quotes.collect();
    let (rows, more) = fit(rows.iter().map(|(depth, clock)| shown(*depth, clock, &clocks)));
    Ok(Answer {
        says: format!(
            "{} clocks; {} could not be asked, {left_out} nodes were not.",
            clocks.len(),
            unread.len()
        ),
        quotes,
        data: json!({"clocks": rows, "unread": unread, "left_out": left_out, "more": more}),
        links: Vec::new(),
    })
}
