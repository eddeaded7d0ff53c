//! One log, wrapped as whoever wrote it down does: the report must be the same.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Read as _;

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{run, top};

/// A line as linuxptp wrote it, and when.
struct Line {
    /// `2026-03-04T10:00:00.000000000Z`
    time: String,
    /// `ptp4l`
    process: String,
    /// `1000.000`
    bracket: String,
    /// `[ptp4l.0.config] port 1 …`
    text: String,
}

impl Line {
    /// `Mar  4 10:00:00`
    fn syslog_time(&self) -> String {
        format!("Mar  4 {}", &self.time[11..19])
    }

    /// Nanoseconds since 1970: all are within a minute or so of 10:00.
    fn nanos(&self) -> i64 {
        let field = |at: usize| self.time[at..at + 2].parse::<i64>().unwrap();
        let seconds = field(11) * 3600 + field(14) * 60 + field(17);
        let fraction: i64 = self.time[20..29].parse().unwrap();
        (1_772_582_400 + seconds) * 1_000_000_000 + fraction
    }

    fn own(&self) -> String {
        format!("{}[{}]: {}", self.process, self.bracket, self.text)
    }

    /// What linuxptp gives to syslog.
    fn to_syslog(&self) -> String {
        format!("[{}] {}", self.bracket, self.text)
    }

    fn untagged(&self) -> &str {
        self.text.split_once("] ").map_or(&*self.text, |(_, text)| text)
    }
}

/// What a form keeps of the lines.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Keeps {
    /// Everything.
    All,
    /// No time of day: times count from the start of the node.
    NoTime,
}

type Form = (&'static str, Keeps, fn(&Line) -> String);

/// Each line on its own.
const FORMS: &[Form] = &[
    ("oc logs --timestamps", Keeps::All, |l| format!("{} {}", l.time, l.own())),
    ("oc logs", Keeps::NoTime, |l| l.own()),
    ("oc logs --prefix --timestamps", Keeps::All, |l| {
        format!("[pod/linuxptp-daemon-x7k2p/linuxptp-daemon-container] {} {}", l.time, l.own())
    }),
    ("stern", Keeps::NoTime, |l| {
        format!("linuxptp-daemon-x7k2p linuxptp-daemon-container {}", l.own())
    }),
    ("kubetail", Keeps::All, |l| format!("[linuxptp-daemon-x7k2p] {} {}", l.time, l.own())),
    ("CRI", Keeps::All, |l| format!("{} stdout F {}", l.time, l.own())),
    ("klog", Keeps::All, |l| {
        format!("I0304 {}    1234 daemon.go:731] {}", &l.time[11..26], l.own())
    }),
    ("journalctl -o short", Keeps::All, |l| {
        format!("{} worker-1 {}[4321]: {}", l.syslog_time(), l.process, l.to_syslog())
    }),
    ("journalctl -o short-precise", Keeps::All, |l| {
        format!("Mar 04 {} worker-1 {}[4321]: {}", &l.time[11..26], l.process, l.to_syslog())
    }),
    ("journalctl -o short-iso", Keeps::All, |l| {
        format!("{}+0000 worker-1 {}[4321]: {}", &l.time[..19], l.process, l.to_syslog())
    }),
    ("journalctl -o short-full", Keeps::All, |l| {
        let time = l.time[..19].replace('T', " ");
        format!("Wed {time} UTC worker-1 {}[4321]: {}", l.process, l.to_syslog())
    }),
    ("journalctl -o short-unix", Keeps::All, |l| {
        let nanos = l.nanos();
        let (seconds, micros) = (nanos / 1_000_000_000, nanos / 1000 % 1_000_000);
        format!("{seconds}.{micros:06} worker-1 {}[4321]: {}", l.process, l.to_syslog())
    }),
    ("journalctl -o cat", Keeps::NoTime, |l| l.to_syslog()),
    ("journalctl -o json", Keeps::All, |l| {
        json!({
            "__REALTIME_TIMESTAMP": (l.nanos() / 1000).to_string(), "_HOSTNAME": "worker-1",
            "SYSLOG_IDENTIFIER": l.process, "_PID": "4321", "PRIORITY": "6", "MESSAGE": l.to_syslog(),
        })
        .to_string()
    }),
    ("RFC 3164", Keeps::All, |l| {
        format!("<30>{} worker-1 {}: {}", l.syslog_time(), l.process, l.to_syslog())
    }),
    ("RFC 5424", Keeps::All, |l| {
        format!("<30>1 {} worker-1 {} 4321 - - {}", l.time, l.process, l.to_syslog())
    }),
    ("docker json-file", Keeps::All, |l| {
        json!({"log": format!("{}\n", l.own()), "stream": "stdout", "time": l.time}).to_string()
    }),
    ("stern -o json", Keeps::NoTime, |l| {
        json!({"message": l.own(), "nodeName": "worker-1", "podName": "p", "containerName": "c"})
            .to_string()
    }),
    ("logcli -o jsonl", Keeps::All, |l| {
        let labels = json!({"kubernetes_host": "worker-1", "kubernetes_pod_name": "p"});
        json!({"labels": labels, "line": l.own(), "timestamp": l.time}).to_string()
    }),
    ("logcli", Keeps::All, |l| {
        format!("{} {{kubernetes_host=\"worker-1\", app=\"ptp\"}} {}", l.time, l.own())
    }),
    ("Elasticsearch", Keeps::All, |l| {
        let source = json!({"@timestamp": l.time, "message": l.own(), "hostname": "worker-1"});
        json!({"_index": "infra", "_id": "x", "_source": source}).to_string()
    }),
    ("OpenShift Logging", Keeps::All, |l| {
        json!({
            "@timestamp": l.time, "hostname": "worker-1", "level": "default", "message": l.own(),
            "kubernetes": {"container_name": "c", "pod_name": "linuxptp-daemon-x7k2p"},
        })
        .to_string()
    }),
    ("Splunk JSON", Keeps::All, |l| {
        json!({"preview": false, "result": {"_time": l.time, "host": "worker-1", "_raw": l.own()}})
            .to_string()
    }),
    ("Splunk CSV", Keeps::All, |l| {
        format!("\"{}\",worker-1,\"{}\"", l.time, l.own().replace('"', "\"\""))
    }),
    ("TSV", Keeps::All, |l| format!("{}\tworker-1\t{}", l.time, l.own())),
    ("fluentd", Keeps::All, |l| {
        let record = json!({"log": l.own(), "host": "worker-1"});
        format!("{} kubernetes.ptp: {record}", l.time)
    }),
    ("in colour", Keeps::All, |l| format!("\x1b[32m{}\x1b[0m \x1b[1m{}\x1b[0m", l.time, l.own())),
    ("quoted in a mail", Keeps::All, |l| format!("> > {} {}", l.time, l.own())),
    ("in back quotes", Keeps::All, |l| format!("`{} {}`", l.time, l.own())),
    ("padded with NULs", Keeps::All, |l| format!("\0\0\0{} {}\0", l.time, l.own())),
    ("another zone", Keeps::All, |l| {
        let hour: u32 = l.time[11..13].parse().unwrap();
        format!("2026-03-04T{:02}{}+01:00 {}", hour + 1, &l.time[13..29], l.own())
    }),
    ("grep -n", Keeps::All, |l| format!("logs/worker-1.log:17:{} {}", l.time, l.own())),
    ("grep -C", Keeps::All, |l| format!("worker-1.log-17-{} {}", l.time, l.own())),
    ("pdsh", Keeps::All, |l| format!("worker-1: {} {}", l.time, l.own())),
    ("cat -A", Keeps::All, |l| format!("{} {}$", l.time, l.own())),
    ("diff", Keeps::All, |l| format!("+{} {}", l.time, l.own())),
    ("fluent-bit", Keeps::All, |l| {
        let time = l.nanos() as f64 / 1e9;
        format!("[0] ptp: [[{time:.9}, {{}}], {{\"log\"=>\"{}\"}}]", l.own())
    }),
    ("logfmt", Keeps::All, |l| {
        format!("message=\"{}\" host=worker-1 timestamp={}", l.own(), l.time)
    }),
    ("CSV with the message first", Keeps::All, |l| {
        format!("\"{}\",\"{}\",\"worker-1\"", l.own(), l.time)
    }),
    ("HTML", Keeps::All, |l| format!("<td>{}&nbsp;{}</td>", l.time, l.own())),
    ("with no-break spaces", Keeps::All, |l| {
        format!("{} {}", l.time, l.own()).replace("  ", "\u{a0} ")
    }),
    ("a job's own time before", Keeps::All, |l| {
        let minute = &l.time[14..16];
        format!("2026-03-08T03:{minute}:07.0000000Z {} {}", l.time, l.own())
    }),
    ("CRI cut in pieces", Keeps::All, |l| {
        let own = l.own();
        let (head, tail) = own.split_at(own.len() / 2);
        format!("{0} stdout P {head}\n{0} stdout F {tail}", l.time)
    }),
    ("kafka-console-consumer", Keeps::All, |l| {
        format!("{} CreateTime:{}\tworker-1\t{}", l.time, l.nanos() / 1_000_000, l.own())
    }),
    ("event.original", Keeps::All, |l| {
        json!({"@timestamp": l.time, "event": {"original": l.own()}, "host": {"name": "worker-1"}})
            .to_string()
    }),
    ("without a tag", Keeps::All, |l| {
        format!("{} {}[{}]: {}", l.time, l.process, l.bracket, l.untagged())
    }),
    ("with a bare tag", Keeps::All, |l| {
        format!("{} {}[{}]: du-a {}", l.time, l.process, l.bracket, l.untagged())
    }),
];

fn fold(line: &str, width: usize) -> String {
    line.as_bytes().chunks(width).map(str_of).collect::<Vec<_>>().join("\n")
}

fn str_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let number = (0..3).fold(0u32, |n, at| n << 8 | u32::from(*chunk.get(at).unwrap_or(&0)));
        let digit = move |at: u32| DIGITS[(number >> (18 - 6 * at)) as usize & 63] as char;
        (0..4).map(move |at| if at as usize <= chunk.len() { digit(at) } else { '=' })
    });
    digits.collect()
}

fn lines() -> Vec<Line> {
    let packed = fs::File::open(top().join("ptp-cli/tests/field/link-loss.log.gz")).unwrap();
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let line = |line: &str| {
        let (time, rest) = line.split_once(' ').unwrap();
        let (process, rest) = rest.split_once('[').unwrap();
        let (bracket, text) = rest.split_once("]: ").unwrap();
        let [time, process, bracket, text] = [time, process, bracket, text].map(str::to_owned);
        Line { time, process, bracket, text }
    };
    text.lines().map(line).collect()
}

/// Everything but how the files were called, and of whom nobody knew where they ran.
fn told(dir: &TempDir, name: &str, bytes: &[u8]) -> Value {
    let path = dir.path().join(name);
    fs::write(&path, bytes).unwrap();
    let path = path.to_str().unwrap();
    let output = run(&["diagnose", "--format", "json", "--node-name", "worker-1", path]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let mut report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {stderr}"));
    report["input"]["files"] = Value::Null;
    // They are made of the numbers of lines.
    for incident in report["incidents"].as_array_mut().unwrap() {
        for evidence in incident["evidence"].as_array_mut().unwrap() {
            evidence["event_id"] = Value::Null;
        }
    }
    report
}

fn causes(report: &Value) -> Vec<(Value, Value)> {
    let incidents = report["incidents"].as_array().unwrap().iter();
    incidents.map(|i| (i["root_cause"].clone(), i["status"].clone())).collect()
}

#[test]
fn every_wrapper_gives_the_same_report() {
    let (dir, lines) = (TempDir::new().unwrap(), lines());
    let whole = |wrap: fn(&Line) -> String| {
        lines.iter().fold(String::new(), |mut all, line| {
            writeln!(all, "{}", wrap(line)).unwrap();
            all
        })
    };
    let base = told(&dir, "base.log", whole(FORMS[0].2).as_bytes());
    assert_eq!(causes(&base), [("ptp-path-loss".into(), "firing".into())]);
    let mut wrong = Vec::new();
    for (name, keeps, wrap) in FORMS {
        let file = format!("{}.log", name.replace([' ', '/'], "-"));
        let report = told(&dir, &file, whole(*wrap).as_bytes());
        let same = match keeps {
            Keeps::All => report == base,
            Keeps::NoTime => {
                causes(&report) == causes(&base)
                    && report["input"]["events"] == base["input"]["events"]
            }
        };
        if !same {
            wrong.push(*name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_page_lists_every_form_and_no_other() {
    let page = fs::read_to_string(top().join("docs/evidence.md")).unwrap();
    let table = page.split("## Logs, line by line").nth(1).unwrap();
    let table = table.split("\n## ").next().unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    let listed: BTreeSet<_> =
        rows.flat_map(|row| row.split(" | ").next().unwrap()[2..].split(", ")).collect();
    let tested: BTreeSet<_> = FORMS.iter().map(|(name, ..)| *name).collect();
    assert_eq!(listed, tested);
}

#[test]
fn documents_that_hold_all_lines_give_the_same_report() {
    let (dir, lines) = (TempDir::new().unwrap(), lines());
    let stamped = || lines.iter().map(|line| format!("{} {}", line.time, line.own()));
    let plain: Vec<String> = stamped().collect();
    let base = told(&dir, "base.log", plain.join("\n").as_bytes());
    let values: Vec<_> = lines.iter().map(|l| json!([l.nanos().to_string(), l.own()])).collect();
    let hits: Vec<_> = lines
        .iter()
        .map(|l| json!({"_source": {"@timestamp": l.time, "message": l.own(), "hostname": "worker-1"}}))
        .collect();
    let loki = json!({"status": "success", "data": {"resultType": "streams", "result": [
        {"stream": {"kubernetes_host": "worker-1"}, "values": values},
    ]}});
    let elastic = json!({"took": 3, "hits": {"total": {"value": 1}, "hits": hits}});
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(plain.join("\r\n").encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let export = lines.iter().fold(String::new(), |mut all, l| {
        let (micros, process, message) = (l.nanos() / 1000, &l.process, l.to_syslog());
        writeln!(
            all,
            "__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP={micros}\nMESSAGE={message}\n_PID=4321\n\
             SYSLOG_IDENTIFIER={process}\n_HOSTNAME=worker-1\n"
        )
        .unwrap();
        all
    });
    let verbose = lines.iter().fold(String::new(), |mut all, l| {
        let (time, process, message) = (l.time[..26].replace('T', " "), &l.process, l.to_syslog());
        writeln!(
            all,
            "Wed {time} UTC [s=8d;i=1f;b=3c;m=1;t=2;x=3]\n    _HOSTNAME=worker-1\n    \
             MESSAGE={message}\n    SYSLOG_IDENTIFIER={process}"
        )
        .unwrap();
        all
    });
    let newest_first = plain.iter().rev().map(String::as_str).collect::<Vec<_>>().join("\n");
    let mut latest = values.clone();
    latest.reverse();
    let backward = json!({"status": "success", "data": {"resultType": "streams", "result": [
        {"stream": {"kubernetes_host": "worker-1"}, "values": latest},
    ]}});
    let strings = json!(plain);
    let column = |what: fn(&Line) -> Value| lines.iter().map(what).collect::<Vec<_>>();
    let times = column(|l| json!(l.time));
    let texts = column(|l| json!(l.own()));
    let rows: Vec<_> = times.iter().zip(&texts).map(|(time, text)| json!([time, text])).collect();
    let by_rows = json!({"columns": [{"name": "time"}, {"name": "line"}], "rows": rows});
    let by_columns = json!({
        "schema": {"fields": [{"name": "time"}, {"name": "line"}]},
        "data": {"values": [times, texts]},
    });
    let fields = |l: &Line| json!({"fields": {"@timestamp": [l.time], "message": [l.own()]}});
    let fields = json!({"hits": {"hits": lines.iter().map(fields).collect::<Vec<_>>()}});
    let counted = lines.iter().fold(String::new(), |mut all, l| {
        let message = format!("<30>1 {} worker-1 {} - - - {}", l.time, l.process, l.own());
        write!(all, "{} {message}", message.len()).unwrap();
        all
    });
    // Mail programs break lines between words, terminals anywhere.
    let folded: Vec<_> = plain.iter().map(|line| fold(line, 80)).collect();
    let base64 = fold(&base64(plain.join("\n").as_bytes()), 76);
    let mail = format!(
        "From: a@b\nSubject: ptp\nMIME-Version: 1.0\nContent-Type: text/plain\n\
         Content-Transfer-Encoding: base64\n\n{base64}\n"
    );
    // What overlaps is counted once.
    let overlap = [&plain[..], &plain[plain.len() / 2..]].concat().join("\n");
    let documents: [(&str, Vec<u8>); 21] = [
        ("a table by rows", by_rows.to_string().into_bytes()),
        ("a table by columns", by_columns.to_string().into_bytes()),
        ("Elasticsearch fields", fields.to_string().into_bytes()),
        ("RFC 6587, octet-counted", counted.into_bytes()),
        ("mail in base64", mail.into_bytes()),
        ("a JSON string", json!(plain.join("\n")).to_string().into_bytes()),
        ("carriage returns alone", plain.join("\r").into_bytes()),
        ("newest first", newest_first.into_bytes()),
        ("Loki query_range, newest first", backward.to_string().into_bytes()),
        ("an array of strings", strings.to_string().into_bytes()),
        ("with a half of it twice", overlap.into_bytes()),
        ("journalctl -o export", export.into_bytes()),
        ("journalctl -o verbose", verbose.into_bytes()),
        ("Loki query_range", loki.to_string().into_bytes()),
        ("Elasticsearch hits", elastic.to_string().into_bytes()),
        ("Elasticsearch hits, pretty", serde_json::to_vec_pretty(&elastic).unwrap()),
        ("an array of hits", serde_json::to_vec(&hits).unwrap()),
        ("UTF-16", utf16),
        ("CRLF", plain.join("\r\n").into_bytes()),
        ("a code fence", format!("Our log:\n```\n{}\n```\nHelp!\n", plain.join("\n")).into_bytes()),
        ("a byte order mark", [b"\xEF\xBB\xBF", plain.join("\n").as_bytes()].concat()),
    ];
    let mut wrong = Vec::new();
    for (name, bytes) in documents {
        let file = format!("{}.log", name.replace([' ', ','], "-"));
        if told(&dir, &file, &bytes) != base {
            wrong.push(name);
        }
    }
    // What a terminal breaks off may be no more than a delay, and then it is lost.
    let folded = told(&dir, "folded.log", folded.join("\n").as_bytes());
    assert_eq!(causes(&folded), causes(&base));
    assert!(wrong.is_empty(), "{wrong:?}");
}
