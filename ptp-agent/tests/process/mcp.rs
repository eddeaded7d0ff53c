//! `ptp-agent mcp`: a line in, a line out.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::agent::{Agent, agent};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/mcp.md");

#[test]
fn the_page_is_as_the_tables_say() {
    let output = agent().args(["mcp", "--page"]).output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let written = std::fs::read_to_string(PAGE).unwrap();
    assert!(
        written.trim_end().ends_with(page.trim_end()),
        "docs/mcp.md is out of date: replace it from `## Tools of the agent` on by `ptp-agent mcp --page`"
    );
}

#[test]
fn a_line_from_a_shell_is_answered_without_a_handshake() {
    let dir = TempDir::new().unwrap();
    let running = Agent::start(&dir.path().join("journal.db"));
    // As the page has it; standard input ends before the answer.
    let page = std::fs::read_to_string(PAGE).unwrap();
    let line = page.lines().find(|line| line.starts_with("echo '")).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_ptp-agent"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let ask = |url: &str| -> Value {
        let mut shell = Command::new("sh");
        shell.env_clear().env("PATH", &path).env("PTP_AGENT_URL", url).args(["-c", line]);
        let output = shell.output().unwrap();
        assert!(output.status.success());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let answer = ask(&running.url());
    assert_eq!(answer["id"], 1);
    assert_eq!(answer["result"]["structuredContent"]["count"], 0, "{answer}");
    // An agent that is not there is said, with what to do.
    let answer = ask("http://127.0.0.1:1");
    assert_eq!(answer["result"]["isError"], true);
    let said = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(said.contains("PTP_AGENT_URL"), "{said}");
    running.stop();
}

#[test]
fn what_is_there_is_listed_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("kubeconfig");
    std::fs::write(&file, crate::api_server::kubeconfig("http://127.0.0.1:1")).unwrap();
    let tools = |variables: &[(&str, &str)]| -> Vec<String> {
        let mut command = agent();
        command.arg("mcp").envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let line = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
        writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
        let output = child.wait_with_output().unwrap();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let tools = answer["result"]["tools"].as_array().unwrap().iter();
        tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    let cluster = ("KUBECONFIG", file.to_str().unwrap());
    let url = ("PTP_AGENT_URL", "http://127.0.0.1:1");
    let has = |tools: &[String], name: &str| tools.iter().any(|tool| tool == name);
    for (variables, agent, pmc, exec) in [
        (&[][..], true, false, false),
        (&[url], true, false, false),
        (&[cluster], false, true, false),
        (&[cluster, url], true, true, false),
        (&[cluster, ("PTP_AGENT_MCP_EXEC", "true")], false, true, true),
        (&[url, ("PTP_AGENT_MCP_EXEC", "true")], true, false, false),
    ] {
        let tools = tools(variables);
        assert_eq!(has(&tools, "list_incidents"), agent, "{variables:?}");
        assert_eq!(has(&tools, "run_pmc_query"), pmc, "{variables:?}");
        assert_eq!(has(&tools, "exec_ptp_command"), exec, "{variables:?}");
    }
}
