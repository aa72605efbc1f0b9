//! The report adds up, names what failed, and reads well.

use std::time::Duration;

use serde_json::json;
use tokio::time::Instant;
use tonic::Status;

use super::Report;
use crate::demo::{
    ledger::Ledger,
    load::Outcome,
    news::{News, What},
};

/// Three calls to the first of two backends, and one to the second, which is killed under it.
fn ledger() -> Ledger {
    let (mut ledger, start) = (Ledger::new(2, 1), Instant::now());
    let ended = start + Duration::from_millis(4);
    let mut call = |reached, result| ledger.enter(&Outcome { begun: start, ended, reached: Some(reached), result });
    (0..3).for_each(|_| call(0, Ok(())));
    ledger.hear(&News { at: start, backend: 0, what: What::Draining { in_flight: 0 } });
    ledger.hear(&News { at: start, backend: 1, what: What::Killed { in_flight: 1 } });
    ledger.enter(&Outcome { begun: start, ended, reached: Some(1), result: Err(Status::unavailable("gone")) });
    ledger
}

fn report(ledger: &Ledger) -> Report<'_> {
    Report { ledger, policy: "round_robin", elapsed: Duration::from_millis(1500), interrupted: false }
}

#[test]
fn the_json_adds_up() {
    let ledger = ledger();
    let none = json!({ "p50": 0.0, "p90": 0.0, "p99": 0.0, "max": 0.0 });
    let json = report(&ledger).json();
    let times = json["latency_ms"].clone();
    assert!((times["p50"].as_f64().unwrap() - 4.0).abs() < 0.01, "{times}");
    assert_eq!(
        json,
        json!({
            "calls": 4, "ok": 3, "failed": { "UNAVAILABLE": 1 }, "latency_ms": times,
            "policy": "round_robin", "seconds": 1.5, "interrupted": false,
            "backends": [
                { "name": "backend-1", "state": "IDLE", "calls": 3, "ok": 3, "failed": {}, "share": 0.75, "latency_ms": times },
                { "name": "backend-2", "state": "IDLE", "calls": 1, "ok": 0, "failed": { "UNAVAILABLE": 1 }, "share": 0.25, "latency_ms": none },
            ],
            "reached_none": 0, "drained": ["backend-1"], "killed": { "backend-2": 1 }, "unexpected": 0,
        })
    );
}

#[test]
fn the_table_has_a_row_for_each_backend_and_one_for_all() {
    let ledger = ledger();
    let text = report(&ledger).text(|_| Duration::from_millis(2));
    let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["pace", "calls", "share", "ok", "failed", "p50", "p90", "p99", "max"]);
    assert_eq!(lines[1][..6], ["backend-1", "2.0ms", "3", "75.0%", "3", "0"]);
    assert_eq!(lines[2][..6], ["backend-2", "2.0ms", "1", "25.0%", "0", "1"]);
    assert_eq!(lines[3][..5], ["all", "4", "100.0%", "3", "1"]);
    assert!(text.contains("Killed: backend-2. 1 call that had reached it failed with UNAVAILABLE.\n"), "{text}");
    assert!(text.ends_with("Nothing else failed.\n"), "{text}");
}

#[test]
fn an_unexpected_failure_is_named_and_spoils_the_verdict() {
    let mut ledger = ledger();
    let now = Instant::now();
    let result = Err(Status::deadline_exceeded("after 2s: too slow"));
    ledger.enter(&Outcome { begun: now, ended: now, reached: None, result });
    let report = report(&ledger);
    assert!(!report.is_as_told());
    assert_eq!((report.json()["unexpected"].clone(), report.json()["reached_none"].clone()), (json!(1), json!(1)));
    let text = report.text(|_| Duration::ZERO);
    let sentence = "UNEXPECTED: 1 call that had reached no backend failed with DEADLINE_EXCEEDED: after 2s: too slow\n";
    assert!(text.contains(sentence), "{text}");
    assert!(!text.contains("Nothing else failed"), "{text}");
}

#[test]
fn a_run_cut_short_says_so() {
    let ledger = ledger();
    let report = Report { interrupted: true, ..report(&ledger) };
    assert!(report.text(|_| Duration::ZERO).ends_with("Interrupted after 1.5s.\n"));
    assert_eq!(report.json()["interrupted"], true);
}
