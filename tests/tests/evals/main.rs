//! Questions of on-call engineers over eight recorded nights (`evals/`), asked of a client that shows its model only
//! text, or of any command-line agent (`cargo xtask eval --agent COMMAND`).
#![expect(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

#[path = "../cluster/server.rs"]
#[expect(dead_code, reason = "shared with tests that let it fail")]
mod cluster;

mod asking;
mod night;
mod questions;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use asking::{Answered, ask_agent, ask_scripted};
use night::Night;
use questions::{Evals, Question};

/// What an answer lacks, or says though it must not; `None` of one that is right.
fn wrong(question: &Question, answer: &str) -> Option<String> {
    let said = answer.to_lowercase();
    let has = |text: &String| said.contains(&text.to_lowercase());
    let lacks = question.must.iter().find(|one_of| !one_of.iter().any(has));
    let lacks = lacks.map(|one_of| format!("does not say {}", one_of.join(" or ")));
    lacks.or_else(|| question.must_not.iter().find(|text| has(text)).map(|t| format!("says {t}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_can_be_answered_from_text() {
    let evals = Evals::read();
    let agent = std::env::var("PTP_EVAL_AGENT").ok();
    let only = std::env::var("PTP_EVAL_ONLY").unwrap_or_default();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut page =
        "| night | question | right | calls | tokens |\n|---|---|---|---|---|\n".to_owned();
    let mut failed = String::new();
    let mut totals = BTreeMap::<&str, (usize, usize, usize, usize)>::new();
    for (name, about) in &evals.night {
        let night = Night::start(name, about).await;
        let asked = evals.question.iter().filter(|q| q.night == *name && q.asks.contains(&only));
        for question in asked {
            let Answered { text, calls, tokens } = match &agent {
                Some(command) => ask_agent(command, question, &night),
                None => ask_scripted(question, &night).await,
            };
            let wrong = wrong(question, &text);
            let mark = wrong.as_deref().map_or("yes".to_owned(), |wrong| format!("no: it {wrong}"));
            writeln!(page, "| {name} | {} | {mark} | {calls} | {tokens} |", question.asks).unwrap();
            if let Some(wrong) = &wrong {
                writeln!(failed, "{name}: {}: {wrong}\n{text}\n", question.asks).unwrap();
            }
            let total = totals.entry(name).or_default();
            total.0 += 1;
            total.1 += usize::from(wrong.is_none());
            total.2 += calls;
            total.3 += tokens;
        }
        night.stop().await;
    }
    writeln!(page, "\n| night | questions | right | calls | tokens |\n|---|---|---|---|---|")
        .unwrap();
    for (name, (asked, right, calls, tokens)) in &totals {
        writeln!(page, "| {name} | {asked} | {right} | {calls} | {tokens} |").unwrap();
    }
    let sum =
        |of: fn(&(usize, usize, usize, usize)) -> usize| totals.values().map(of).sum::<usize>();
    let (asked, right) = (sum(|t| t.0), sum(|t| t.1));
    writeln!(page, "| all | {asked} | {right} | {} | {} |", sum(|t| t.2), sum(|t| t.3)).unwrap();
    if agent.is_some() {
        // How well somebody's agent does is told, and not judged.
        println!("{page}");
        return;
    }
    assert!(failed.is_empty(), "{failed}\n{page}");
    assert!(asked >= 40 || !only.is_empty(), "only {asked} questions");
    if std::env::var_os("PTP_SHOW").is_some() {
        println!("{page}");
    }
}

#[test]
fn answers_are_graded_by_what_they_say() {
    let question = Question {
        must: vec![vec!["ptp-path-loss".to_owned(), "path lost".to_owned()], vec!["w1".to_owned()]],
        must_not: vec!["all is well".to_owned()],
        ..Question::default()
    };
    assert_eq!(wrong(&question, "PTP path lost on W1"), None);
    assert!(wrong(&question, "Something on w1").unwrap().contains("ptp-path-loss or path lost"));
    assert!(wrong(&question, "ptp-path-loss on w1, but all is well").unwrap().contains("says"));
}
