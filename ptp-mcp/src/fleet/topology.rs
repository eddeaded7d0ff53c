//! Who follows whom.

use ptp_api::{Member, Nothing};
use ptp_events::NodeName;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::answers::count;
use crate::context::Context;
use crate::tool::{Answer, Refusal, fit};

/// Of what.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Of {
    /// Only this node, whom it follows and who follows it
    node: Option<String>,
}

/// Who follows whom.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Tree {
    /// As of when.
    at: ptp_events::Received,
    /// The domains: declared in the topology file, or assumed.
    domains: Vec<Domain>,
    /// What followers report when their grandmaster's time goes wrong.
    note: String,
}

/// A timing domain.
#[derive(Debug, Serialize, JsonSchema)]
struct Domain {
    /// Its number in the topology file; absent for nodes that the file does not name.
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<u32>,
    /// `declared` in the topology file, or `assumed`: all nodes that it does not name may follow any grandmaster
    /// among them.
    basis: String,
    /// Its nodes, grandmasters first.
    nodes: Vec<Node>,
    /// How many are not listed.
    more: usize,
}

/// A node in its domain.
#[derive(Debug, Serialize, JsonSchema)]
struct Node {
    /// Its name.
    node: NodeName,
    /// Its part: t-gm, t-bc, t-tsc or unknown.
    role: &'static str,
    /// Its state.
    state: &'static str,
    /// The class it announces.
    clock_class: Option<u8>,
    /// Whom it follows.
    follows: Vec<NodeName>,
    /// Who follows it, directly or by others.
    followers: Vec<NodeName>,
}

impl From<&Member> for Node {
    fn from(member: &Member) -> Self {
        Self {
            node: member.node.clone(),
            role: member.role.as_str(),
            state: member.state.as_str(),
            clock_class: member.clock_class.map(|class| class.0),
            follows: member.follows.clone(),
            followers: member.followers.clone(),
        }
    }
}

pub(super) async fn topology(context: &Context, wanted: Of) -> Result<Answer<Tree>, Refusal> {
    let agent = context.agent()?;
    let found = agent.topology(&Nothing {}).await?;
    let mut domains = Vec::new();
    for domain in &found.domains {
        let nodes: Vec<&Member> = match &wanted.node {
            None => domain.nodes.iter().collect(),
            Some(name) => {
                let Some(of) = domain.nodes.iter().find(|m| m.node.as_str() == name) else {
                    continue;
                };
                let near = |m: &&Member| {
                    m.node == of.node
                        || of.followers.contains(&m.node)
                        || m.followers.contains(&of.node)
                };
                domain.nodes.iter().filter(near).collect()
            }
        };
        let all = nodes.len();
        let (nodes, _) = fit(nodes.into_iter().map(Node::from));
        let (domain, basis, more) = (domain.domain, domain.basis.clone(), domain.more);
        domains.push(Domain { domain, basis, more: more + all - nodes.len(), nodes });
    }
    if let (Some(name), true) = (&wanted.node, domains.is_empty()) {
        // Says whether it is misspelt.
        agent.node(name, &Nothing {}).await?;
    }
    let nodes: usize = domains.iter().map(|domain| domain.nodes.len()).sum();
    let leads = |domain: &Domain| domain.nodes.iter().filter(|n| n.role == "t-gm").count();
    let grandmasters: usize = domains.iter().map(leads).sum();
    let says = format!(
        "{} with {} and {}.",
        count(domains.len(), "timing domain"),
        count(grandmasters, "grandmaster"),
        count(nodes - grandmasters, "other node"),
    );
    Ok(Answer::new(says, Tree { at: found.at, domains, note: found.note }))
}
