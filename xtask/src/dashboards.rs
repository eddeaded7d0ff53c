//! Dashboards for Grafana, of the metrics that an agent exports: rows in, JSON out.
//!
//! The model is that of Grafana's dashboards as they are imported and provisioned (schemaVersion 39, Grafana 10
//! and later; grafana.com/docs, "Dashboard JSON model").

use serde_json::{Value, json};

/// How a query is drawn.
#[derive(Clone, Copy)]
enum Kind {
    /// One number.
    Stat,
    /// Curves.
    Series,
    /// What is 1, over time, a line each.
    States,
}

struct Panel {
    title: &'static str,
    kind: Kind,
    query: &'static str,
    legend: &'static str,
    unit: &'static str,
    /// Of 24 columns.
    width: u64,
}

const fn panel(
    title: &'static str,
    kind: Kind,
    query: &'static str,
    legend: &'static str,
    unit: &'static str,
    width: u64,
) -> Panel {
    Panel { title, kind, query, legend, unit, width }
}

use Kind::{Series, Stat, States};

const FLEET: &[Panel] = &[
    panel("Nodes", Stat, "sum by (state) (ptp_agent_nodes)", "{{state}}", "short", 12),
    panel(
        "Firing",
        Stat,
        "sum by (severity) (ptp_agent_incidents_firing)",
        "{{severity}}",
        "short",
        6,
    ),
    panel("Not observed", Stat, "sum(ptp_agent_node_blind)", "nodes", "short", 6),
    panel(
        "Not LOCKED",
        States,
        "ptp_agent_node_state{state!=\"LOCKED\"} == 1",
        "{{node}} {{state}}",
        "short",
        24,
    ),
    panel(
        "Largest offsets",
        Series,
        "topk(10, abs(ptp_agent_clock_offset_ns))",
        "{{node}} {{clock}}",
        "ns",
        12,
    ),
    panel(
        "Clock classes",
        Series,
        "count_values(\"clock_class\", ptp_agent_clock_class)",
        "class {{clock_class}}",
        "short",
        12,
    ),
    panel(
        "Changes of state",
        Series,
        "sum by (node) (delta(ptp_agent_clock_state_changes[5m])) > 0",
        "{{node}}",
        "short",
        24,
    ),
];

const NODE: &[Panel] = &[
    panel("State", States, "ptp_agent_node_state{node=~\"$node\"}", "{{state}}", "short", 24),
    panel(
        "Offset",
        Series,
        "ptp_agent_clock_offset_ns{node=~\"$node\"}",
        "{{clock}} {{kind}}",
        "ns",
        24,
    ),
    panel(
        "Clock class",
        Series,
        "ptp_agent_clock_class{node=~\"$node\"}",
        "{{clock}}",
        "short",
        12,
    ),
    panel(
        "Changes of state",
        Series,
        "ptp_agent_clock_state_changes{node=~\"$node\"}",
        "{{clock}} {{kind}}",
        "short",
        12,
    ),
    panel(
        "Not observed",
        States,
        "ptp_agent_node_blind{node=~\"$node\"}",
        "not observed",
        "short",
        24,
    ),
];

const AGENT: &[Panel] = &[
    panel("Version", Stat, "ptp_agent_build_info", "{{version}}", "short", 4),
    panel("Publishers", Stat, "ptp_agent_publishers", "found", "short", 4),
    panel("Subscriptions missing", Stat, "ptp_agent_subscriptions_missing", "missing", "short", 4),
    panel("Discovery fails", Stat, "ptp_agent_discovery_failing", "fails", "short", 4),
    panel("Journal fails", Stat, "ptp_agent_journal_failing", "fails", "short", 4),
    panel("Journal", Stat, "ptp_agent_journal_bytes", "size", "bytes", 4),
    panel("Events", Series, "rate(ptp_agent_events_total[5m])", "diagnosed", "ops", 12),
    panel(
        "Requests to the receiver",
        Series,
        "sum by (outcome) (rate(ptp_agent_received_requests_total[5m]))",
        "{{outcome}}",
        "ops",
        12,
    ),
    panel("Waiting for the disk", Series, "ptp_agent_store_waiting", "inputs", "short", 12),
    panel(
        "Lost to the journal",
        Series,
        "ptp_agent_journal_unwritten_total",
        "inputs",
        "short",
        12,
    ),
];

/// The dashboards, and where each is.
pub(crate) fn all() -> [(&'static str, String); 3] {
    [
        (
            "deploy/monitoring/dashboards/ptp-fleet.json",
            dashboard("ptp-fleet", "PTP fleet", FLEET, false),
        ),
        (
            "deploy/monitoring/dashboards/ptp-node.json",
            dashboard("ptp-node", "PTP node", NODE, true),
        ),
        (
            "deploy/monitoring/dashboards/ptp-agent.json",
            dashboard("ptp-agent", "PTP agent", AGENT, false),
        ),
    ]
}

fn dashboard(uid: &str, title: &str, panels: &[Panel], of_node: bool) -> String {
    let source = json!({
        "name": "datasource", "type": "datasource", "query": "prometheus", "label": "Data source",
    });
    let node = json!({
        "name": "node", "type": "query", "label": "Node", "refresh": 2, "sort": 1,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "query": {"query": "label_values(ptp_agent_node_state, node)", "refId": "nodes"},
    });
    let variables: Vec<Value> = if of_node { vec![source, node] } else { vec![source] };
    let (mut x, mut y) = (0, 0);
    let panels: Vec<Value> = (1_u64..)
        .zip(panels)
        .map(|(id, panel)| {
            let height = if matches!(panel.kind, Stat) { 5 } else { 9 };
            if x + panel.width > 24 {
                (x, y) = (0, y + 9);
            }
            let place = json!({"x": x, "y": y, "w": panel.width, "h": height});
            x += panel.width;
            drawn(id, panel, &place)
        })
        .collect();
    let model = json!({
        "uid": uid,
        "title": title,
        "tags": ["ptp"],
        "schemaVersion": 39,
        "editable": true,
        "refresh": "10s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "utc",
        "templating": {"list": variables},
        "panels": panels,
    });
    // A value of strings and numbers is always JSON.
    serde_json::to_string_pretty(&model).unwrap_or_default() + "\n"
}

fn drawn(id: u64, panel: &Panel, place: &Value) -> Value {
    let Panel { title, kind, query, legend, unit, .. } = panel;
    let (kind, options) = match kind {
        Stat => (
            "stat",
            json!({"reduceOptions": {"calcs": ["lastNotNull"]}, "textMode": "value_and_name"}),
        ),
        Series => ("timeseries", json!({"legend": {"displayMode": "list", "placement": "bottom"}})),
        States => ("state-timeline", json!({"mergeValues": true, "showValue": "never"})),
    };
    json!({
        "id": id,
        "type": kind,
        "title": title,
        "gridPos": place,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
        "options": options,
        "targets": [{
            "refId": "A", "expr": query, "legendFormat": legend,
            "datasource": {"type": "prometheus", "uid": "${datasource}"},
        }],
    })
}
