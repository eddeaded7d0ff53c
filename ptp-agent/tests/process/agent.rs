//! The program as a child of the test.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) const SECRET: &str = "a secret that is for tests only, really";

/// For the clients of the tests themselves.
fn with_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub(crate) fn agent() -> Command {
    with_tls();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ptp-agent"));
    command.env_clear();
    command
}

/// A running agent with one publisher that never answers, and where it receives events.
pub(crate) struct Agent {
    pub child: Child,
    pub receiver: String,
    api: String,
    /// Reads on, so that the agent never waits for somebody to read.
    log: Option<JoinHandle<String>>,
}

/// The arguments of an agent that keeps to itself.
pub(crate) fn quiet(mut command: Command, journal: &Path) -> Command {
    command
        .args(["--listen", "127.0.0.1:0", "--api-address", "127.0.0.1", "--port", "0"])
        .args(["--callback-secret", SECRET, "--grace", "5s", "--journal"])
        .arg(journal);
    command
}

impl Agent {
    pub(crate) fn start(journal: &Path) -> Self {
        let mut command = quiet(agent(), journal);
        command.args(["--publisher", "http://127.0.0.1:1=w1"]);
        Self::run(command)
    }

    #[expect(clippy::zombie_processes, reason = "it is waited for when dropped")]
    pub(crate) fn run(mut command: Command) -> Self {
        with_tls();
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut line, mut said) = (String::new(), String::new());
        loop {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "the agent ended early");
            if let Some(fields) = line.split_once("\"receiver\":\"").map(|(_, rest)| rest) {
                let receiver = fields.split('"').next().unwrap().to_owned();
                let api = line.split_once("\"api\":\"").unwrap().1.split('"').next().unwrap();
                let api = api.to_owned();
                let log = std::thread::spawn(move || {
                    log.read_to_string(&mut said).unwrap();
                    said
                });
                return Self { child, receiver, api, log: Some(log) };
            }
            said += &line;
        }
    }
}

impl Agent {
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        Self::answer(reqwest::blocking::get(format!("http://{}{path}", self.api)))
    }

    /// The same, where a token is asked for.
    pub(crate) fn get_with(&self, token: &str, path: &str) -> (u16, String) {
        let client = reqwest::blocking::Client::new();
        Self::answer(client.get(format!("http://{}{path}", self.api)).bearer_auth(token).send())
    }

    fn answer(answer: reqwest::Result<reqwest::blocking::Response>) -> (u16, String) {
        let answer = answer.unwrap();
        (answer.status().as_u16(), answer.text().unwrap())
    }

    /// How much memory it has, in MB.
    pub(crate) fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1e3
    }

    /// Where its API is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.api)
    }

    /// SIGTERM, and what it had still to say.
    pub(crate) fn stop(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
        self.log.take().unwrap().join().unwrap()
    }
}

/// Of a test that failed nothing stays behind.
impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `found` finds something.
pub(crate) fn eventually<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(value) = found() {
            return value;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "this never came: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
