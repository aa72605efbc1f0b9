//! Who watches is told the last status before the end, and leaves nothing behind.

use std::{
    future::{pending, ready},
    pin::pin,
    task::{Context, Poll, Waker},
};

use tokio::sync::oneshot;

use super::*;

const NOT_SERVING: Option<ServingStatus> = Some(ServingStatus::NotServing);

#[tokio::test]
async fn the_names_that_strangers_watched_go_with_them() {
    let board = Arc::new(Board::default());
    board.set("known".into(), ServingStatus::Serving);
    let watch = |service: &str| Watcher::new(Arc::clone(&board), service.into(), Box::pin(pending()));
    let mut first = watch("a");
    let rest = [watch("a"), watch("b"), watch("known")];
    assert_eq!(first.next().await, Some(message(None)));
    drop(rest);
    assert_eq!(board.names(), ["a", "known"]);
    drop(first);
    assert_eq!(board.names(), ["known"]);
}

#[tokio::test]
async fn the_last_status_is_told_before_the_connection_goes_away() {
    // Often enough that nobody gets it right by chance.
    for _ in 0..64 {
        let board = Arc::new(Board::default());
        let (goodbye, going_away) = oneshot::channel();
        let going_away = Box::pin(async { going_away.await.unwrap() });
        let mut watcher = Watcher::new(Arc::clone(&board), "a".into(), going_away);
        assert_eq!(watcher.next().await, Some(message(None)));
        {
            let mut next = pin!(watcher.next());
            assert_eq!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending);
            board.set("a".into(), ServingStatus::NotServing);
            goodbye.send(()).unwrap();
            assert_eq!(next.await, Some(message(NOT_SERVING)));
        }
        assert_eq!(watcher.next().await, None);
    }
}

#[tokio::test]
async fn who_comes_when_the_connection_is_going_away_hears_the_status_once() {
    let board = Arc::new(Board::default());
    let mut watcher = Watcher::new(board, "a".into(), Box::pin(ready(())));
    assert_eq!(watcher.next().await, Some(message(None)));
    assert_eq!(watcher.next().await, None);
}
