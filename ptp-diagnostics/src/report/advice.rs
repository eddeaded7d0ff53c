//! What to do about an incident: the advice of its cause, with commands for where and when it began.

use std::time::Duration;

use ptp_events::Received;

use crate::causes::{Action, EXEC};
use crate::incidents::incident::Incident;
use crate::model::Model;
use crate::report::Recommendation;
use crate::text::shell_word;

/// How long before an incident began its cause may have been logged.
const BEFORE: Duration = Duration::from_mins(5);

/// Which port a command is about.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Ports {
    /// The one the evidence names.
    Named(String),
    /// Those of a card: a publisher writes `ens1fx` for `ens1f0`, `ens1f1`, …, and does not say which.
    OfCard(String),
    Unknown,
}

/// What to do, with the commands for the node it began on.
pub(crate) fn recommendations(model: &Model, incident: &Incident) -> Vec<Recommendation> {
    let ports = ports(model, incident);
    let actions = incident.diagnosis.cause.cause().actions;
    let command = |template| command(model, incident, &ports, template);
    let recommend = |action: &Action| Recommendation {
        action: action.action.to_owned(),
        command: action.command.map(command),
    };
    actions.iter().map(recommend).collect()
}

/// The port of the clock that was found first, or else of any the node has.
fn ports(model: &Model, incident: &Incident) -> Ports {
    let Some(node) = incident.diagnosis.origin.first().map(|id| model.node(*id)) else {
        return Ports::Unknown;
    };
    let members = || node.clocks.iter();
    let of_finding = incident.findings.iter().flat_map(|finding| {
        members().filter(move |member| {
            finding.node == node.name
                && finding.resource.as_ref() == Some(&member.resource)
                && finding.instance == member.instance
        })
    });
    let mut candidates = of_finding.chain(members()).map(|member| model.clock(member.id));
    if let Some(port) = candidates.clone().find_map(|clock| clock.port()) {
        return Ports::Named(port.to_string());
    }
    match candidates.find_map(|clock| clock.instance().interface()) {
        Some(interface) => match interface.strip_suffix('x') {
            Some(card) if is_plain(card) => Ports::OfCard(card.to_owned()),
            _ => Ports::Named(interface.to_owned()),
        },
        None => Ports::Unknown,
    }
}

/// Whether a text means nothing to a shell.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn command(model: &Model, incident: &Incident, ports: &Ports, template: &str) -> String {
    let node = incident.diagnosis.origin.first().map(|id| model.node(*id).name.as_str());
    let template = through_ports(template, ports)
        .replace("{exec}", EXEC)
        .replace("{pod}", "$(oc -n {namespace} get pod -l app=linuxptp-daemon --field-selector spec.nodeName={node} -o name)");
    let port = match ports {
        Ports::Named(port) => shell_word(port),
        Ports::OfCard(_) | Ports::Unknown => "INTERFACE".to_owned(),
    };
    fill(
        &template,
        &[
            ("namespace", shell_word(&model.settings.namespace)),
            ("since", since(incident.opened_at)),
            ("node", shell_word(node.unwrap_or("NODE"))),
            ("interface", port),
        ],
    )
}

/// Puts values in place of `{name}`, and looks into none of them: a name that was sent to us may hold
/// braces.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = values
            .iter()
            .find_map(|(name, value)| Some((value, after.strip_prefix(name)?.strip_prefix('}')?)));
        rest = match named {
            Some((value, after)) => {
                filled.push_str(value);
                after
            }
            None => {
                filled.push('{');
                after
            }
        };
    }
    filled.push_str(rest);
    filled
}

/// A time for `oc logs --since-time`, before whatever made the incident.
fn since(opened_at: Received) -> String {
    let at = jiff::Timestamp::from(opened_at.before(BEFORE));
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Where only the card is known, the same command for each of its ports.
fn through_ports(template: &str, ports: &Ports) -> String {
    const PORT: &str = "{interface}";
    match (ports, template.strip_prefix("{exec} ")) {
        (Ports::OfCard(card), Some(command)) if command.contains(PORT) => {
            let each = command.replace(PORT, "$port");
            let script = format!(
                "cd /sys/class/net && for port in {card}[0-9]*; do echo \"$port\"; timeout 10 {each}; done"
            );
            format!("{{exec}} sh -c {}", shell_word(&script))
        }
        _ => template.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_names_the_port_or_goes_through_the_card() {
        let template = "{exec} tcpdump -i {interface} 'port 319'";
        assert_eq!(
            through_ports(template, &Ports::OfCard("ens1f".to_owned())),
            r#"{exec} sh -c 'cd /sys/class/net && for port in ens1f[0-9]*; do echo "$port"; timeout 10 tcpdump -i $port '\''port 319'\''; done'"#
        );
        let plain = "oc get nodes";
        assert_eq!(through_ports(plain, &Ports::OfCard("ens1f".to_owned())), plain);
    }

    #[test]
    fn what_was_sent_to_us_is_quoted_whatever_it_holds() {
        let template = "tcpdump -i {interface} on {node} and {other} {";
        let command = |port: &str, node: &str| {
            fill(template, &[("interface", shell_word(port)), ("node", shell_word(node))])
        };
        for (port, node, expect) in [
            ("ens1f1", "w1", "tcpdump -i ens1f1 on w1 and {other} {"),
            ("a;reboot", "w1", "tcpdump -i 'a;reboot' on w1 and {other} {"),
            ("{node}", "a;reboot", "tcpdump -i '{node}' on 'a;reboot' and {other} {"),
        ] {
            assert_eq!(command(port, node), expect);
        }
    }
}
