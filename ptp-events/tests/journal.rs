//! The journal keeps what it was given, and says when it cannot.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

use ptp_events::journal::{Journal, JournalError, Query};
use ptp_events::recording::Origin;
use ptp_events::{Input, NodeName, Received};
use tempfile::TempDir;

fn inputs() -> Vec<(Received, Input)> {
    let node = NodeName::new("w1").unwrap();
    let body = b"{}".to_vec();
    [
        Input::Event { origin: Origin::Push, node: None, body: body.clone() },
        Input::Event { origin: Origin::Pull, node: Some(node.clone()), body },
        Input::Blind { node: node.clone(), why: "its publisher is gone".to_owned() },
        Input::Sighted { node: node.clone() },
        Input::Missed {
            node: node.clone(),
            since: Received::from_nanos(-7),
            why: "forgotten, or\nnot".into(),
        },
        Input::Gone { node },
    ]
    .into_iter()
    .zip(1..)
    .map(|(input, second)| (Received::from_nanos(second * 1_000_000_000), input))
    .collect()
}

fn append(journal: &mut Journal, inputs: &[(Received, Input)]) {
    journal.append(inputs.iter().map(|(received, input)| (*received, input))).unwrap();
}

/// Bytes that cannot be packed.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn what_is_written_reads_back_in_order_also_while_it_is_open() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    let mut journal = Journal::open(&path).unwrap();
    append(&mut journal, &inputs());
    let reader = Journal::open_read_only(&path).unwrap();
    let read: Vec<_> = reader.after(0, 100).unwrap();
    assert_eq!(read.iter().map(|e| (e.received, e.input.clone())).collect::<Vec<_>>(), inputs());
    assert_eq!(reader.after(read[1].seq, 1).unwrap(), [read[2].clone()]);
    assert_eq!(reader.latest().unwrap(), inputs().last().map(|(received, _)| *received));
}

#[test]
fn a_time_picks_entries_also_where_there_are_none() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::open(&dir.path().join("journal.db")).unwrap();
    let from = |journal: &Journal, second: i64| {
        let since = Some(Received::from_nanos(second * 1_000_000_000));
        journal.select(&Query { since, limit: 100, ..Query::default() }).unwrap().entries.len()
    };
    assert_eq!(from(&journal, 3), 0);
    append(&mut journal, &inputs());
    assert_eq!([0, 3, 6, 7].map(|second| from(&journal, second)), [6, 4, 1, 0]);
}

#[test]
fn old_entries_go_by_age_and_by_size() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::open(&dir.path().join("journal.db")).unwrap();
    append(&mut journal, &inputs());
    assert_eq!(journal.prune(Received::from_nanos(2_500_000_000), u64::MAX).unwrap(), 2);
    assert_eq!(journal.after(0, 100).unwrap().len(), 4);
    let big = Input::Event { origin: Origin::Push, node: None, body: noise(10_000) };
    let many: Vec<_> = (0..200).map(|n| (Received::from_nanos(n), big.clone())).collect();
    append(&mut journal, &many);
    assert!(journal.size().unwrap() > 1_000_000);
    journal.prune(Received::from_nanos(0), 500_000).unwrap();
    let size = journal.size().unwrap();
    assert!((400_000..=500_000).contains(&size), "below the limit, and no more: {size}");
    let file = std::fs::metadata(dir.path().join("journal.db")).unwrap().len();
    assert!(file < 1_000_000, "the file shrinks too, and has {file} bytes");
}

/// As publishers send them, each with an id of its own, of a hundred nodes.
#[test]
fn an_event_takes_250_bytes_with_all_that_finds_it() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::open(&dir.path().join("journal.db")).unwrap();
    let recordings = concat!(env!("CARGO_MANIFEST_DIR"), "/../recordings/");
    let texts = ["gnss_loss", "real-ptp4l-linkdown", "bc_recover"]
        .map(|name| std::fs::read_to_string(format!("{recordings}{name}.jsonl")).unwrap());
    let lines: Vec<_> = texts.iter().flat_map(|text| text.lines()).collect();
    let count = 20_000_u32;
    let mut bytes = 0;
    let events: Vec<_> = (0..count)
        .map(|n| {
            let line = lines[n as usize % lines.len()];
            // Numbers that look as random as an id.
            let id = u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let (head, tail) = line.split_once("\"id\":\"").unwrap();
            let (_, tail) = tail.split_once('"').unwrap();
            let id = format!(
                "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
                id >> 32,
                id >> 16 & 0xFFFF,
                id & 0xFFF,
                n & 0xFFF,
                id >> 9
            );
            let node = format!("worker-{}.ran.example.com", n % 100);
            let tail = tail.replace("gmnode", &node).replace("node1", &node);
            let body = format!("{head}\"id\":\"{id}\"{tail}").into_bytes();
            bytes += body.len();
            let node = Some(NodeName::new(&node).unwrap());
            (
                Received::from_nanos(i64::from(n) * 1_000_000),
                Input::Event { origin: Origin::Push, node, body },
            )
        })
        .collect();
    append(&mut journal, &events);
    let each = journal.size().unwrap() / u64::from(count);
    println!("figure: bytes for an event of {} in the journal: {each}", bytes / count as usize);
    assert!(each <= 250, "{each} bytes for an event of {}", bytes / count as usize);
}

/// Bodies were not packed then.
#[test]
fn a_journal_of_version_1_is_gone_on_with() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    let mut journal = Journal::open(&path).unwrap();
    let old = "PRAGMA user_version = 1;
        INSERT INTO inputs (received, kind, node, body) VALUES (1, 'push', 'w1', CAST('{\"a\":1}' AS BLOB));";
    journal.database().execute_batch(old).unwrap();
    drop(journal);
    assert_eq!(Journal::open_read_only(&path).unwrap().after(0, 9).unwrap().len(), 1);
    let mut journal = Journal::open(&path).unwrap();
    let new = Input::Event { origin: Origin::Push, node: None, body: b"{\"b\":2}".to_vec() };
    append(&mut journal, &[(Received::from_nanos(2), new)]);
    let version = "SELECT user_version FROM pragma_user_version";
    let version: i32 = journal.database().query_row(version, [], |row| row.get(0)).unwrap();
    let bodies = journal.after(0, 9).unwrap().into_iter().map(|entry| match entry.input {
        Input::Event { body, .. } => String::from_utf8(body).unwrap(),
        other => format!("{other:?}"),
    });
    assert_eq!(
        (version, bodies.collect::<Vec<_>>()),
        (2, vec!["{\"a\":1}".into(), "{\"b\":2}".into()])
    );
}

#[test]
fn a_node_that_talks_too_much_wipes_out_no_others_history() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::open(&dir.path().join("journal.db")).unwrap();
    let of = |node: &str, bytes| {
        let node = Some(NodeName::new(node).unwrap());
        Input::Event { origin: Origin::Push, node, body: noise(bytes) }
    };
    let quiet = (0..20).map(|n| (Received::from_nanos(n), of(&format!("w{n}"), 600)));
    let loud = (20..220).map(|n| (Received::from_nanos(n), of("loud", 10_000)));
    append(&mut journal, &quiet.chain(loud).collect::<Vec<_>>());
    while journal.size().unwrap() > 500_000 {
        assert!(journal.prune(Received::from_nanos(0), 500_000).unwrap() > 0);
    }
    let kept = journal.after(0, 1000).unwrap();
    let quiet = kept.iter().filter(|entry| entry.received < Received::from_nanos(20)).count();
    assert_eq!(quiet, 20);
    assert!(kept.len() > 40, "and of the loud one what there is room for: {}", kept.len());
}

/// So that reading it takes no more memory than a page, whatever was sent.
#[test]
fn a_page_is_bounded_in_bytes_and_tells_that_there_is_more() {
    let dir = TempDir::new().unwrap();
    let mut journal = Journal::open(&dir.path().join("journal.db")).unwrap();
    let body = noise(1 << 20);
    let big = Input::Event { origin: Origin::Push, node: None, body };
    append(&mut journal, &vec![(Received::from_nanos(1), big); 20]);
    let (mut cursor, mut pages) = (None, Vec::new());
    loop {
        let page = journal.select(&Query { cursor, limit: 1000, ..Query::default() }).unwrap();
        cursor = page.entries.last().map(|entry| entry.seq);
        pages.push(page.entries.len());
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, [8, 8, 4]);
}

#[test]
fn one_writes_it_at_a_time_and_for_nobody_else_to_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    let first = Journal::open(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::InUse { .. })));
    Journal::open_read_only(&path).unwrap();
    for file in std::fs::read_dir(&dir).unwrap().map(Result::unwrap) {
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
    }
    drop(first);
    Journal::open(&path).unwrap();
}

#[test]
fn somebody_elses_database_is_left_as_it_is() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("theirs.db");
    let theirs = rusqlite::Connection::open(&path).unwrap();
    theirs.execute_batch("CREATE TABLE inputs (node TEXT)").unwrap();
    drop(theirs);
    let before = std::fs::read(&path).unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Foreign { .. })));
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn what_is_no_journal_is_refused() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("journal.db");
    std::fs::write(&path, "this is not a database, but it is long enough to be one").unwrap();
    assert!(matches!(Journal::open(&path), Err(JournalError::Open { .. })));
    assert!(matches!(
        Journal::open_read_only(&dir.path().join("none.db")),
        Err(JournalError::Open { .. })
    ));
}
