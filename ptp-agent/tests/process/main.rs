//! The program itself: killed, stopped, misconfigured.
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod agent;
mod alerts;
mod api_server;
mod cluster;
mod conformance;
mod mcp;
mod siege;
mod typescript;

use std::collections::HashSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use ptp_events::Input;
use ptp_events::journal::Journal;
use ptp_subscriber::target::PublisherName;
use ptp_subscriber::token::TokenKey;
use tempfile::TempDir;

use agent::{Agent, SECRET, agent, eventually, quiet};

fn event(id: u32) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"e{id}","source":"/sync/ptp-status/lock-state","type":"event.sync.ptp-status.ptp-state-change","time":"2026-11-23T06:40:30.{id:09}Z","data":{{"version":"1.0","values":[{{"ResourceAddress":"/cluster/node/w1/ens1fx/master","data_type":"notification","value_type":"enumeration","value":"LOCKED"}}]}}}}"#
    )
}

/// Posts this many events, each until it is accepted or has been refused a hundred times; returns
/// how many were.
fn post_some(receiver: &str, count: u32) -> usize {
    let token = TokenKey::new(SECRET.as_bytes()).unwrap().token(&PublisherName::new("w1"));
    let client = reqwest::blocking::Client::new();
    let url = format!("http://{receiver}/event/{token}");
    let accepted = |id| {
        (0..100).any(|_| {
            let answer = client.post(&url).body(event(id)).send().unwrap();
            let accepted = answer.status().as_u16() == 204;
            if !accepted {
                std::thread::sleep(Duration::from_millis(20));
            }
            accepted
        })
    };
    (0..count).filter(|id| accepted(*id)).count()
}

/// Posts events over one connection until it breaks; returns the ids answered with 204.
fn post(receiver: &str, first: u32) -> Vec<u32> {
    let token = TokenKey::new(SECRET.as_bytes()).unwrap().token(&PublisherName::new("w1"));
    let mut stream = TcpStream::connect(receiver).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut acknowledged = Vec::new();
    for id in first.. {
        let body = event(id);
        let head = format!(
            "POST /event/{token} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all((head + &body).as_bytes()).is_err() {
            break;
        }
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            match stream.read(&mut byte) {
                Ok(1) => answer.push(byte[0]),
                _ => return acknowledged,
            }
        }
        if answer.starts_with(b"HTTP/1.1 204") {
            acknowledged.push(id);
        }
    }
    acknowledged
}

#[test]
fn what_was_acknowledged_survives_kill_9() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    let mut acknowledged = HashSet::new();
    let kills = std::env::var("PTP_KILLS").map_or(20, |kills| kills.parse().unwrap());
    for round in 0..kills {
        let mut agent = Agent::start(&path);
        let posting: Vec<_> = (0..4)
            .map(|thread| {
                let receiver = agent.receiver.clone();
                std::thread::spawn(move || post(&receiver, round * 4_000_000 + thread * 1_000_000))
            })
            .collect();
        std::thread::sleep(Duration::from_millis(30 + u64::from(round % 20) * 7));
        agent.child.kill().unwrap();
        agent.child.wait().unwrap();
        for thread in posting {
            acknowledged.extend(thread.join().unwrap());
        }
    }
    assert!(acknowledged.len() > 200, "only {} events in 20 rounds", acknowledged.len());
    println!("figure: events acknowledged before {kills} kills, all kept: {}", acknowledged.len());
    expect_kept(&path, &acknowledged);
}

/// All of these events are in the journal.
#[track_caller]
fn expect_kept(journal: &Path, acknowledged: &HashSet<u32>) {
    let journal = Journal::open_read_only(journal).unwrap();
    let mut kept = HashSet::new();
    let mut seq = 0;
    loop {
        let entries = journal.after(seq, 10_000).unwrap();
        let Some(last) = entries.last() else { break };
        seq = last.seq;
        for entry in entries {
            if let Input::Event { .. } = entry.input {
                let event = entry.input.event().unwrap().unwrap();
                kept.insert(event.id.to_string()[1..].parse::<u32>().unwrap());
            }
        }
    }
    let missing = acknowledged.difference(&kept).count();
    assert_eq!(missing, 0, "of {}", acknowledged.len());
}

/// While events keep coming, over connections that nobody closes.
#[test]
fn sigterm_drains_and_ends_in_order() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    let agent = Agent::start(&path);
    assert_eq!(agent.get("/livez").0, 200);
    let posting: Vec<_> = (0..4)
        .map(|thread| {
            let receiver = agent.receiver.clone();
            std::thread::spawn(move || post(&receiver, thread * 100_000))
        })
        .collect();
    eventually("some to be taken", || {
        let (_, nodes) = agent.get("/api/v1/nodes");
        let nodes: serde_json::Value = serde_json::from_str(&nodes).unwrap();
        (nodes["items"][0]["events"].as_u64() > Some(20)).then_some(())
    });
    let begun = Instant::now();
    let rest = agent.stop();
    assert!(begun.elapsed() < Duration::from_secs(8));
    assert!(rest.contains("\"stopped\""), "{rest}");
    let acknowledged = posting.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    expect_kept(&path, &acknowledged);
    println!("{} events were acknowledged", acknowledged.len());
    assert!(acknowledged.len() > 20);
}

#[test]
fn all_mistakes_are_told_at_once_and_no_secret_is() {
    let output = agent()
        .args(["check-config"])
        .env("AGENT_NAMESPACE", "x")
        .env("SLACK_WEBHOOK_URL", "hooks.slack.example/T000/very-secret")
        .env("ALERT_EVENT_TYPES", "sync-state,nonsense")
        .env("ALERT_OFFSET_THRESHOLD", "0")
        .env("PTP_AGENT_CALLBACK_SECRET", "short-secret")
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(!stderr.contains("very-secret") && !stderr.contains("short-secret"), "{stderr}");
    insta::assert_snapshot!(stderr, @"
    error: the configuration cannot work:
      --alert-resources (ALERT_EVENT_TYPES): no such resource: nonsense; there are gnss-sync-status, lock-state, clock-class, os-clock-sync-state, sync-state, synce-lock-state, synce-clock-quality
      thresholds: `offset-ns` must be at least 1
      --slack-webhook-url: must be an http or https URL
      --callback-secret: needs at least 32 bytes
    ");
}

#[test]
fn a_good_configuration_works() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("agent.toml");
    std::fs::write(&file, "poll = \"30s\"\nport = 9000\nlabel = [\"region=north\"]\n").unwrap();
    let told = |config_first: bool| {
        let mut command = agent();
        let config = [std::ffi::OsStr::new("--config"), file.as_os_str()];
        if config_first {
            command.args(config).arg("check-config");
        } else {
            command.arg("check-config").args(config);
        }
        command
            .args(["--poll", "5s", "--alertmanager", "http://me:secret@am:9093"])
            .env("AGENT_NAMESPACE", "ptp-agent")
            .env("SLACK_WEBHOOK_URL", "https://hooks.slack.example/T/B/secret");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let first = told(true);
    assert_eq!(first, told(false), "wherever the file is named");
    assert!(!first.contains("secret@") && !first.contains("/T/B/"), "{first}");
    insta::assert_snapshot!(first);
    // What is printed is a file that says the same.
    let again = dir.path().join("again.toml");
    let (_, text) = first.split_once("\n\n").unwrap();
    std::fs::write(&again, text).unwrap();
    let output = agent().arg("check-config").arg("--config").arg(&again).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// In the file, in variables and on the command line, each by name.
#[test]
fn all_mistakes_everywhere_are_told_at_once() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("agent.toml");
    std::fs::write(
        &file,
        "pol = \"30s\"\nport = \"many\"\ngrace = \"soon\"\nalertmanager = {}\nwebhook-secret = \"x\"\n",
    )
    .unwrap();
    let output = agent()
        .args(["check-config", "--journal-age", "long", "--listn", "[::]:1", "--mcp-exec"])
        .args(["--publisher", "ftp://x", "--label", "severity=high", "--label", "9a=x"])
        .args(["--webhook-ca-file", "/nowhere/ca.pem"])
        .arg("--config")
        .arg(&file)
        .env("PTP_AGENT_POLL", "often")
        .env("PTP_AGENT_JOURNAL_SIZE", "big")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8(output.stderr).unwrap();
    insta::assert_snapshot!(stderr);
}

/// To each sink, once, with what it answered.
#[test]
fn a_test_alert_shows_what_each_sink_answers() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let mut bodies = Vec::new();
        for (socket, status) in listener.incoming().take(2).zip(["200 OK", "403 Forbidden"]) {
            let mut socket = socket.unwrap();
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !String::from_utf8_lossy(&seen).trim_end().ends_with(['}', ']']) {
                let read = socket.read(&mut buffer).unwrap();
                seen.extend_from_slice(&buffer[..read]);
            }
            let said = "what_the_server_says";
            let length = said.len();
            write!(
                socket,
                "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{said}"
            )
            .unwrap();
            bodies.push(String::from_utf8(seen).unwrap());
        }
        bodies
    });
    let output = agent()
        .args(["test-alert", "--publisher", "http://127.0.0.1:1"])
        .arg("--alertmanager")
        .arg(format!("http://{address}"))
        .args(["--webhook", &format!("http://{address}/hook/very-secret")])
        .output()
        .unwrap();
    let bodies = server.join().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "alertmanager-0: taken: status 200: what_the_server_says\n\
         webhook: not taken: refused for now with status 403: what_the_server_says\n"
    );
    assert!(bodies[0].contains("endsAt"), "it ends by itself: {}", bodies[0]);
    assert!(bodies.iter().all(|body| body.contains("nothing is wrong")));

    let output = agent()
        .args(["test-alert", "--sink", "slack", "--publisher", "http://127.0.0.1:1"])
        .args(["--webhook", "http://127.0.0.1:1/hook/very-secret"])
        .output()
        .unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(stderr, "error: there is no sink `slack`; configured are webhook\n");
}

#[test]
fn no_text_from_outside_forges_a_line_of_the_log() {
    let dir = TempDir::new().unwrap();
    let agent = Agent::start(&dir.path().join("journal.db"));
    let token = TokenKey::new(SECRET.as_bytes()).unwrap().token(&PublisherName::new("w1"));
    let forged = event(1).replace("LOCKED", "x\\n{\\\"level\\\":\\\"ERROR\\\",\\\"forged\\\":1}");
    let url = format!("http://{}/event/{token}", agent.receiver);
    let client = reqwest::blocking::Client::new();
    // The publisher is let in a moment after the receiver serves.
    let taken = (0..100).any(|_| {
        let answer = client.post(&url).body(forged.clone()).send().unwrap();
        std::thread::sleep(Duration::from_millis(20));
        answer.status().as_u16() == 204
    });
    assert!(taken);
    for line in agent.stop().lines() {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(json.get("forged").is_none());
    }
}

/// No file of this process may grow past 400 kB: to SQLite, a disk without room.
#[test]
fn a_full_disk_is_said_and_nobody_is_kept_waiting() {
    let dir = TempDir::new().unwrap();
    let mut shell = Command::new("sh");
    shell.env_clear().args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\""]);
    let mut command = quiet(
        {
            shell.arg(env!("CARGO_BIN_EXE_ptp-agent"));
            shell
        },
        &dir.path().join("journal.db"),
    );
    command.args(["--publisher", "http://127.0.0.1:1=w1"]);
    let agent = Agent::run(command);
    let receiver = agent.receiver.clone();
    // Far more than fits.
    let posting = std::thread::spawn(move || post_some(&receiver, 3000));
    let acknowledged = posting.join().unwrap();
    assert_eq!(acknowledged, 3000, "a subscription cannot be made unless its event is accepted");
    let (status, health) = agent.get("/health");
    assert_eq!(status, 503);
    assert!(health.contains("journal"), "{health}");
    let (_, metrics) = agent.get("/metrics");
    let count = |name: &str| -> u64 {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(count("ptp_agent_journal_unwritten_total") > 0, "{metrics}");
    // The engine had all of them.
    eventually("every event diagnosed", || {
        let (_, nodes) = agent.get("/api/v1/nodes");
        let nodes: serde_json::Value = serde_json::from_str(&nodes).unwrap();
        (nodes["items"][0]["events"] == 3000).then_some(())
    });
    let log = agent.stop();
    assert!(log.contains("cannot write the journal"), "{log}");
    let journal = Journal::open_read_only(&dir.path().join("journal.db")).unwrap();
    assert!(!journal.after(0, 10).unwrap().is_empty(), "what was written is still readable");
}

#[test]
fn a_file_gives_way_to_variables_and_they_to_flags() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("agent.toml");
    std::fs::write(
        &file,
        "poll = \"0s\"\njournal-size = 0\noffset-threshold = 0\nkeep-subscriptions = true\n\
         alert-resources = [\"sync-state\", \"nonsense\"]\n",
    )
    .unwrap();
    let mistakes = |command: &mut Command| {
        let output = command.arg("check-config").env("AGENT_NAMESPACE", "x").output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    insta::assert_snapshot!(
        mistakes(agent().arg("--config").arg(&file).env("ALERT_OFFSET_THRESHOLD", "50").args(["--poll", "5s"])),
        @"
    error: the configuration cannot work:
      --alert-resources (ALERT_EVENT_TYPES): no such resource: nonsense; there are gnss-sync-status, lock-state, clock-class, os-clock-sync-state, sync-state, synce-lock-state, synce-clock-quality
      --journal-size: must be at least 1
      --keep-subscriptions: needs --journal or --callback-secret; otherwise what is kept posts to a URL that the next start does not know
    "
    );
    std::fs::write(&file, "pol = 1\nconfig = \"x\"\npoll = [1, 2]\ngrace = {}\n").unwrap();
    insta::assert_snapshot!(mistakes(agent().env("PTP_AGENT_CONFIG", &file)), @"
    error: the configuration cannot work:
      --config: there is no option `config`
      --config: `grace` cannot be table
      --config: there is no option `pol`; did you mean `poll`?
      --config: `poll` cannot be array
    ");
}

#[test]
fn a_topology_is_read_and_its_mistakes_are_told() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("sites.toml");
    let checked = |text: &str| {
        std::fs::write(&file, text).unwrap();
        let output = agent()
            .arg("check-config")
            .env("PTP_AGENT_TOPOLOGY", &file)
            .env("AGENT_NAMESPACE", "x")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].map(|out| String::from_utf8(out).unwrap());
        let said = said.concat().replace(dir.path().to_str().unwrap(), "…");
        // Not the options.
        said.split("\n\n").next().unwrap().to_owned()
    };
    let gm = "[[node]]\nname = \"gm\"\n[[node]]\nname = \"w0\"\n";
    insta::assert_snapshot!(checked(&format!("{gm}follows = [\"gm\"]\n")), @"the options make sense; they were not tried on a cluster, as none is found from here");
    insta::assert_snapshot!(checked(&format!("{gm}follows = [\"gm-0\"]\n")), @"
    error: the configuration cannot work:
      --topology …/sites.toml: the topology cannot be: node 2 (`w0`): it follows `gm-0`, which is not among the nodes
    ");
}
