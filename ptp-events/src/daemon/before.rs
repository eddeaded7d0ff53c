//! What stands before a line: when it was written, and on which machine, by whoever wrote it down.

use super::process::Process;
use super::times::{self, time, words};
use crate::Received;
use crate::deployment::DAEMON_CONTAINER;

/// How many words before a line are looked at; labels are many.
const MOST_WORDS: usize = 64;

/// Words that say how a line was written, not where.
const NO_HOSTS: [&str; 22] = [
    "stdout", "stderr", "f", "p", "trace", "debug", "info", "notice", "warn", "warning", "error",
    "err", "crit", "critical", "alert", "emerg", "fatal", "user", "daemon", "local0", "log",
    "message",
];

/// Keys whose value is the node, as collectors call it.
const HOST_KEYS: [&str; 15] = [
    "host",
    "hostname",
    "_hostname",
    "node",
    "nodename",
    "node_name",
    "kubernetes_host",
    "kubernetes.host",
    "k8s_node_name",
    "k8s.node.name",
    "host.name",
    "computer",
    "pod_node_name",
    "kubernetes.pod_node_name",
    "compute.googleapis.com/resource_name",
];

/// Keys whose value is the pod.
const POD_KEYS: [&str; 7] = [
    "pod",
    "podname",
    "pod_name",
    "kubernetes_pod_name",
    "k8s_pod_name",
    "k8s.pod.name",
    "instance_pod",
];

/// How pods of the daemon are called (ptp-operator); its container too, which is no pod.
const POD: &str = "linuxptp-daemon-";

/// Which machine a key's value names: a node by its name, or by its pod.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Whose {
    Node,
    Pod,
}

/// What the value of a field called `key` names, whatever its letters' case.
pub(crate) fn names(key: &str) -> Option<Whose> {
    let is_one = |keys: &[&str]| keys.iter().any(|known| known.eq_ignore_ascii_case(key));
    if is_one(&HOST_KEYS) { Some(Whose::Node) } else { is_one(&POD_KEYS).then_some(Whose::Pod) }
}

/// What a line's beginning tells.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Before<'a> {
    /// When the line was written; the first and so the outermost time counts.
    pub(crate) wall: Option<Received>,
    /// The node, or else the pod.
    pub(crate) whose: Option<&'a str>,
}

/// Reads what stands before a line. `written` is when the file was last written to: times without a
/// year are read by it, and not without.
pub(crate) fn read(before: &str, written: Option<Received>) -> Before<'_> {
    let before = before.trim_ascii();
    if before.is_empty() {
        return Before::default();
    }
    // `oc logs --timestamps` writes just that.
    if let Ok(time) = Received::parse(before) {
        return Before { wall: Some(time), whose: None };
    }
    let words: smallvec::SmallVec<[&str; 8]> = words(before).take(MOST_WORDS).collect();
    // The host is the first word after the time in RFC 5424, whatever follows it.
    let is_rfc5424 = before.starts_with('<') && words.get(1) == Some(&"1");
    let mut wall: Option<Received> = None;
    let (mut timed, mut is_first) = (false, true);
    let mut named = None;
    let (mut pod, mut node, mut file, mut others) = (None, None, None, 0);
    let mut at = 0;
    while at < words.len() {
        let rest = &words[at..];
        at += 1;
        if let Some((time, used)) = time(rest, written) {
            wall = times::of_two(wall, time);
            timed = true;
            // `worker-1.log:2026-…`: a search wrote the file's name before what it found.
            file = file.or_else(|| file_of(rest[0]));
            // `worker-1: 2026-…`: a shell that asked several hosts wrote it before what each said.
            let host = (at == 2).then(|| words[0].strip_suffix(':')).flatten();
            file = file.or_else(|| host.filter(|host| is_host(host)));
            at += used - 1;
            if words.get(at).is_some_and(|word| times::is_zone(word)) {
                at += 1;
            }
            (node, others, is_first) = (None, 0, true);
            continue;
        }
        let word = rest[0];
        if let (Some(whose), Some(value)) = (names(word), rest.get(1)) {
            match whose {
                Whose::Node => named = named.or(Some(*value)),
                Whose::Pod => pod = Some(*value),
            }
            at += 1;
        } else if word.starts_with(POD) && !word.starts_with(DAEMON_CONTAINER) {
            pod = pod.or(Some(word));
        } else if let Some(name) = file_of(word) {
            file = file.or(Some(name));
        } else if timed && is_host(word) {
            others += 1;
            // `worker-1 conmon[999]: …`
            if node.is_none() && is_first {
                node = Some(word);
                let next = rest.get(1).zip(rest.get(2));
                let is_program = next.is_some_and(|(program, pid)| {
                    is_host(program) && pid.bytes().all(|b| b.is_ascii_digit())
                });
                if is_program || is_rfc5424 {
                    return Before { wall, whose: named.or(pod).or(node) };
                }
            }
        }
        is_first = false;
    }
    // A journal writes the host, and nothing else, between the time and the line.
    let whose = named.or(pod).or_else(|| node.filter(|_| others == 1)).or(file);
    Before { wall, whose }
}

/// The node that a file is named after, in `logs/worker-1.log:` and `worker-1.log-17-`.
fn file_of(word: &str) -> Option<&str> {
    const ENDS: [&str; 4] = [".log:", ".log-", ".txt:", ".txt-"];
    const OTHERS: [&str; 6] = ["messages", "syslog", "current", "previous", "daemon", "ptp"];
    let end = ENDS.iter().find_map(|end| word.find(end))?;
    let name = word[..end].rsplit('/').next()?;
    (is_host(name) && !OTHERS.contains(&name)).then_some(name)
}

fn is_host(word: &str) -> bool {
    let named = word.bytes().any(|b| b.is_ascii_alphabetic());
    let plain = word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    named
        && plain
        && !word.starts_with(DAEMON_CONTAINER)
        && !NO_HOSTS.iter().any(|no| no.eq_ignore_ascii_case(word))
        && Process::named(word).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_machines_before_a_line() {
        let written = Received::parse("2026-11-24T00:00:00Z").ok();
        for (before, wall, whose) in [
            ("", "-", "-"),
            ("1795416019881598396", "2026-11-23T06:40:19.881598396Z", "-"),
            ("2026-11-23T06:40:30.5Z", "2026-11-23T06:40:30.5Z", "-"),
            ("2026-11-23T07:40:30.5+01:00 stdout F", "2026-11-23T06:40:30.5Z", "-"),
            ("I1123 06:40:30.123456    1234 daemon.go:123]", "2026-11-23T06:40:30.123456Z", "-"),
            ("2026-11-23T06:40:30Z I1123 06:40:31.1 1 a.go:1]", "2026-11-23T06:40:30Z", "-"),
            ("I1231 23:59:59.5 1 a.go:1]", "2025-12-31T23:59:59.5Z", "-"),
            ("I9931 23:59:59.5 1 a.go:1]", "-", "-"),
            ("Mar  4 10:00:00 worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("Mar 04 10:00:00.25 worker-1", "2026-03-04T10:00:00.25Z", "worker-1"),
            ("2026-03-04T10:00:00+0000 worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("2026-03-04T10:00:00,250 worker-1", "2026-03-04T10:00:00.25Z", "worker-1"),
            ("2026-03-04 10:00:00.5", "2026-03-04T10:00:00.5Z", "-"),
            ("<30>1 2026-03-04T10:00:00Z worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("   三  14 21:53:00 du-1", "2026-11-14T21:53:00Z", "du-1"),
            ("[pod/linuxptp-daemon-x7k2p/linuxptp-daemon-container]", "-", "linuxptp-daemon-x7k2p"),
            ("linuxptp-daemon-x7k2p linuxptp-daemon-container", "-", "linuxptp-daemon-x7k2p"),
            ("2026-03-04T10:00:00Z {host=\"w-2\", pod=\"p\"}", "2026-03-04T10:00:00Z", "w-2"),
            ("> 2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "-"),
            ("\"2026-03-04T10:00:00Z\",\"w-3\",\"", "2026-03-04T10:00:00Z", "w-3"),
            ("2026-03-04T10:00:00Z one two", "2026-03-04T10:00:00Z", "-"),
            ("logs/worker-1.log:12:2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "worker-1"),
            ("worker-1.log-12-2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "worker-1"),
            ("worker-1: 2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "worker-1"),
            ("worker-1.log:", "-", "worker-1"),
            ("+2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "-"),
            ("\"Mar 4, 2026 @ 10:04:59.400\",\"", "2026-03-04T10:04:59.4Z", "-"),
            ("Mar  4 2026 10:00:00 worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("Wed, 04 Mar 2026 10:00:00", "2026-03-04T10:00:00Z", "-"),
            ("[04/Mar/2026:10:00:00 +0000]", "2026-03-04T10:00:00Z", "-"),
            ("\"3/4/2026, 1:04:59.400 PM\",\"", "2026-03-04T13:04:59.4Z", "-"),
            ("04.03.2026 10:00:00", "2026-03-04T10:00:00Z", "-"),
            ("03-04 10:00:00", "2026-03-04T10:00:00Z", "-"),
            ("Wed 2026-03-04 10:00:00 UTC worker-1", "2026-03-04T10:00:00Z", "worker-1"),
            ("2026-03-04T10:00:00,400Z", "2026-03-04T10:00:00.4Z", "-"),
            ("Mar 04 10:00:00 worker-1 conmon[999]:", "2026-03-04T10:00:00Z", "worker-1"),
            (
                "<30>1 2026-03-04T10:00:00Z worker-1 - 1 - [meta a=\"b\"]",
                "2026-03-04T10:00:00Z",
                "worker-1",
            ),
            // A job that printed an old log, and a container whose clock is in another zone.
            ("2026-03-05T01:02:00Z 2026-03-04T10:00:00Z", "2026-03-04T10:00:00Z", "-"),
            ("2026-03-04T10:00:00Z 2026-03-04T11:00:00", "2026-03-04T10:00:00Z", "-"),
        ] {
            let got = read(before, written);
            let time = got.wall.map_or("-".to_owned(), |wall| wall.to_string());
            assert_eq!((time.as_str(), got.whose.unwrap_or("-")), (wall, whose), "{before}");
        }
    }
}
