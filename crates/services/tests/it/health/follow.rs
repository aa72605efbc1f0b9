//! Services that follow what they stand on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use thalweg_services::health::{
    HealthReporter,
    ServingStatus::{NotServing, Serving},
};
use tokio::sync::watch;

use super::{NOT_SERVING, SERVING, Watch, pass, settle};

const S: Duration = Duration::from_secs(1);

/// Whoever listened to this source has ended.
async fn is_let_go(source: &watch::Sender<bool>) -> bool {
    tokio::time::timeout(S, source.closed()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn a_service_is_ready_when_what_it_stands_on_is() {
    let health = HealthReporter::new();
    let (database, ready) = watch::channel(false);
    health.follow("a", ready);
    let mut watch = Watch::of(&health, "a").await;
    assert_eq!(watch.next().await, Some(NOT_SERVING));
    database.send(true).unwrap();
    assert_eq!(watch.next().await, Some(SERVING));
    database.send(false).unwrap();
    assert_eq!(watch.next().await, Some(NOT_SERVING));
}

#[tokio::test(start_paused = true)]
async fn a_service_is_not_ready_when_nobody_is_left_who_knows() {
    let health = HealthReporter::new();
    let (database, ready) = watch::channel(true);
    health.follow("a", ready);
    assert_eq!(health.status("a"), Some(Serving));
    drop(database);
    settle().await;
    assert_eq!(health.status("a"), Some(NotServing));
}

#[tokio::test(start_paused = true)]
async fn who_speaks_last_counts_and_a_source_that_is_not_followed_is_let_go() {
    let health = HealthReporter::new();
    let (first, ready) = watch::channel(true);
    health.follow("a", ready);
    let (second, ready) = watch::channel(false);
    health.follow("a", ready);
    assert!(is_let_go(&first).await);
    assert_eq!(health.status("a"), Some(NotServing));
    health.set("a", Serving);
    assert!(is_let_go(&second).await);
    assert_eq!(health.status("a"), Some(Serving));
    let (third, ready) = watch::channel(true);
    health.follow("a", ready);
    health.clear("a");
    assert!(is_let_go(&third).await);
    settle().await;
    assert_eq!(health.status("a"), None);
}

#[tokio::test(start_paused = true)]
async fn following_ends_with_the_last_reporter() {
    let health = HealthReporter::new();
    let (database, ready) = watch::channel(true);
    health.follow("a", ready);
    let service = health.service();
    drop(health);
    settle().await;
    assert!(!database.is_closed());
    drop(service);
    assert!(is_let_go(&database).await);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_resumes_is_as_what_it_follows_is_by_then() {
    let health = HealthReporter::new();
    let (up, ready_up) = watch::channel(false);
    let (down, ready_down) = watch::channel(true);
    health.follow("up", ready_up);
    health.follow("down", ready_down);
    health.shutdown();
    up.send(true).unwrap();
    down.send(false).unwrap();
    settle().await;
    assert_eq!(health.status("up"), Some(NotServing));
    health.resume();
    assert_eq!(health.status("up"), Some(Serving));
    assert_eq!(health.status("down"), Some(NotServing));
}

#[tokio::test(start_paused = true)]
async fn a_service_that_begins_to_follow_during_a_shutdown_shows_it_when_that_is_over() {
    let health = HealthReporter::new();
    health.shutdown();
    let (_database, ready) = watch::channel(true);
    health.follow("a", ready);
    assert_eq!(health.status("a"), Some(NotServing));
    health.resume();
    assert_eq!(health.status("a"), Some(Serving));
}

#[tokio::test(start_paused = true)]
async fn a_probe_is_asked_at_once_and_then_every_so_often() {
    let health = HealthReporter::new();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    health.probe("a", S * 5, move || {
        let nth = count.fetch_add(1, Relaxed);
        async move { nth != 1 }
    });
    assert_eq!(health.status("a"), Some(NotServing));
    settle().await;
    assert_eq!((asked.load(Relaxed), health.status("a")), (1, Some(Serving)));
    pass(S * 5).await;
    assert_eq!((asked.load(Relaxed), health.status("a")), (2, Some(NotServing)));
    pass(S * 5).await;
    assert_eq!((asked.load(Relaxed), health.status("a")), (3, Some(Serving)));
    health.set("a", Serving);
    pass(S * 500).await;
    assert_eq!(asked.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_hangs_is_not_ready_and_is_asked_again() {
    let health = HealthReporter::new();
    let mut asked = 0;
    health.probe("a", S * 5, move || {
        asked += 1;
        let hangs = asked == 2 || asked == 3;
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            true
        }
    });
    pass(S * 9).await;
    assert_eq!(health.status("a"), Some(Serving));
    pass(S * 5).await;
    assert_eq!(health.status("a"), Some(NotServing));
    pass(S * 5).await;
    assert_eq!(health.status("a"), Some(Serving));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_panics_is_not_ready() {
    let health = HealthReporter::new();
    let mut asked = 0;
    health.probe("a", Duration::ZERO, move || {
        asked += 1;
        assert!(asked < 3, "no longer");
        async { true }
    });
    settle().await;
    assert_eq!(health.status("a"), Some(Serving));
    pass(S).await;
    assert_eq!(health.status("a"), Some(NotServing));
}
