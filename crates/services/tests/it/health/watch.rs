//! `Watch`: the status now and later; nobody who is slow holds anybody up.

use std::time::Duration;

use thalweg_services::health::{HealthReporter, ServingStatus};

use super::{NOT_SERVING, SERVICE_UNKNOWN, SERVING, Watch};

#[tokio::test(start_paused = true)]
async fn a_watcher_hears_the_status_now_and_after_each_change() {
    let health = HealthReporter::new();
    let mut watch = Watch::of(&health, "").await;
    assert_eq!(watch.next().await, Some(SERVING));
    assert!(watch.is_quiet().await);
    health.set("", ServingStatus::NotServing);
    assert_eq!(watch.next().await, Some(NOT_SERVING));
    health.set("", ServingStatus::Serving);
    assert_eq!(watch.next().await, Some(SERVING));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_of_an_unknown_service_hears_when_it_appears_and_when_it_is_gone() {
    let health = HealthReporter::new();
    let mut watch = Watch::of(&health, "a").await;
    assert_eq!(watch.next().await, Some(SERVICE_UNKNOWN));
    assert!(watch.is_quiet().await);
    health.set("a", ServingStatus::Serving);
    assert_eq!(watch.next().await, Some(SERVING));
    health.clear("a");
    assert_eq!(watch.next().await, Some(SERVICE_UNKNOWN));
    health.set("a", ServingStatus::NotServing);
    assert_eq!(watch.next().await, Some(NOT_SERVING));
}

#[tokio::test(start_paused = true)]
async fn a_watcher_hears_nothing_of_what_is_as_it_was_and_nothing_of_others() {
    let health = HealthReporter::new();
    let mut watch = Watch::of(&health, "").await;
    assert_eq!(watch.next().await, Some(SERVING));
    health.set("", ServingStatus::Serving);
    health.set("a", ServingStatus::NotServing);
    assert!(watch.is_quiet().await);
    // There and back while nobody looks.
    health.set("", ServingStatus::NotServing);
    health.set("", ServingStatus::Serving);
    assert!(watch.is_quiet().await);
}

#[tokio::test(start_paused = true)]
async fn a_slow_watcher_gets_the_latest_status_and_holds_nobody_up() {
    let health = HealthReporter::new();
    let mut slow = Watch::of(&health, "a").await;
    let mut quick = Watch::of(&health, "a").await;
    assert_eq!(quick.next().await, Some(SERVICE_UNKNOWN));
    for _ in 0..1000 {
        health.set("a", ServingStatus::Serving);
        assert_eq!(quick.next().await, Some(SERVING));
        health.set("a", ServingStatus::NotServing);
        assert_eq!(quick.next().await, Some(NOT_SERVING));
    }
    assert_eq!(slow.next().await, Some(NOT_SERVING));
    assert!(slow.is_quiet().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_happens_at_the_same_time_every_watcher_comes_to_the_last_status() {
    for _ in 0..200 {
        let health = HealthReporter::new();
        let watchers: Vec<_> = (0..4)
            .map(|_| {
                let health = health.clone();
                tokio::spawn(async move {
                    let mut watch = Watch::of(&health, "a").await;
                    while watch.next().await != Some(SERVING) {}
                })
            })
            .collect();
        let speaker = tokio::spawn(async move {
            for _ in 0..10 {
                health.set("a", ServingStatus::NotServing);
                health.clear("a");
                tokio::task::yield_now().await;
            }
            health.set("a", ServingStatus::Serving);
            health
        });
        let _health = speaker.await.unwrap();
        for watcher in watchers {
            tokio::time::timeout(Duration::from_secs(10), watcher).await.unwrap().unwrap();
        }
    }
}
