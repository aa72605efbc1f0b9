//! The board keeps what somebody knows or waits for, and nothing else.

use super::{Board, ServingStatus};

#[test]
fn an_unknown_service_is_kept_only_while_somebody_watches_it() {
    let board = Board::default();
    let (first, second) = (board.watch("a".into()), board.watch("a".into()));
    drop(first);
    board.unwatch("a");
    assert_eq!(board.names().len(), 1);
    drop(second);
    board.unwatch("a");
    assert_eq!(board.names().len(), 0);
}

#[test]
fn a_known_service_stays_when_nobody_watches_it() {
    let board = Board::default();
    drop(board.watch("a".into()));
    board.set("a".into(), ServingStatus::Serving);
    board.unwatch("a");
    assert_eq!(board.status("a"), Some(ServingStatus::Serving));
}

#[test]
fn a_service_that_is_cleared_is_kept_only_while_somebody_watches_it() {
    let board = Board::default();
    board.set("a".into(), ServingStatus::Serving);
    board.clear("a");
    board.clear("never heard of");
    assert_eq!(board.names().len(), 0);
    board.set("a".into(), ServingStatus::Serving);
    let watched = board.watch("a".into());
    board.clear("a");
    assert_eq!(board.names().len(), 1);
    assert_eq!(*watched.borrow(), None);
}

#[test]
fn a_change_that_changes_nothing_wakes_nobody() {
    let board = Board::default();
    let mut watched = board.watch("a".into());
    board.set("a".into(), ServingStatus::NotServing);
    assert!(watched.has_changed().unwrap());
    watched.mark_unchanged();
    board.set("a".into(), ServingStatus::NotServing);
    board.shutdown();
    assert!(!watched.has_changed().unwrap());
}

#[test]
fn a_source_is_heard_only_while_the_service_follows_it() {
    let board = Board::default();
    let first = board.follow("a", ServingStatus::Serving);
    let second = board.follow("a", ServingStatus::Serving);
    board.say("a", first, ServingStatus::NotServing);
    assert_eq!(board.status("a"), Some(ServingStatus::Serving));
    board.say("a", second, ServingStatus::NotServing);
    assert_eq!(board.status("a"), Some(ServingStatus::NotServing));
    board.set("a".into(), ServingStatus::Serving);
    board.say("a", second, ServingStatus::NotServing);
    board.say("b", second, ServingStatus::NotServing);
    assert_eq!(board.status("a"), Some(ServingStatus::Serving));
    assert_eq!(board.status("b"), None);
}

#[test]
fn a_list_is_whole_or_not_at_all() {
    let board = Board::default();
    let _watched = board.watch("unknown".into());
    board.set("a".into(), ServingStatus::Serving);
    board.set("b".into(), ServingStatus::Serving);
    assert_eq!(board.list(2).unwrap().into_keys().collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(board.list(1), None);
}
