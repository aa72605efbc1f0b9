//! The same under several threads and in real time, where the scheduler may interleave everything with everything.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use thalweg::{Channel, channel::ConnectionScaling, core::backoff::BackoffConfig, error::LocalError};
use tokio::{task::JoinSet, time::timeout};
use tonic::{Code, Status};

use crate::support::{
    fleet::{Fleet, ONE, ROUND_ROBIN, Running, THREE, TWO},
    hello,
};

/// How often a backend goes and comes back.
const ROUNDS: usize = 20;

/// A channel that connects again almost at once.
fn eager(fleet: &Fleet) -> Channel {
    let backoff =
        BackoffConfig { initial: Duration::from_millis(1), max: Duration::from_millis(2), ..BackoffConfig::default() };
    fleet.names.set(fleet.update(&[ONE, TWO, THREE]));
    fleet.builder("names:fleet").default_service_config(ROUND_ROBIN).backoff(backoff).build().unwrap()
}

/// Callers that call and call again until they are told to stop.
struct Crowd {
    stop: Arc<AtomicBool>,
    callers: JoinSet<(usize, Vec<Status>)>,
}

impl Crowd {
    fn gather(channel: &Channel) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut callers = JoinSet::new();
        for _ in 0..16 {
            let (channel, stop) = (channel.clone(), stop.clone());
            callers.spawn(async move {
                let (mut served, mut failed) = (0, vec![]);
                while !stop.load(Relaxed) {
                    match hello(&channel, "ann").await {
                        Ok(_) => served += 1,
                        Err(status) => failed.push(status),
                    }
                }
                (served, failed)
            });
        }
        Self { stop, callers }
    }

    /// How many calls were served, and those that failed. Fails if a caller hangs.
    async fn disperse(self) -> (usize, Vec<Status>) {
        self.stop.store(true, Relaxed);
        let all = timeout(Duration::from_secs(60), self.callers.join_all()).await.expect("a call hangs");
        all.into_iter().fold((0, vec![]), |(served, mut failed), (more, failures)| {
            failed.extend(failures);
            (served + more, failed)
        })
    }
}

/// Waits until the backend has answered this many calls.
async fn answers(backend: &Running, calls: usize) {
    let busy = async {
        while backend.calls() < calls {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(60), busy).await.expect("no calls reach the backend");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backend_drained_again_and_again_fails_no_call_on_any_thread() {
    let fleet = Fleet::new();
    let mut one = fleet.start(ONE).await;
    let (_two, _three) = (fleet.start(TWO).await, fleet.start(THREE).await);
    let crowd = Crowd::gather(&eager(&fleet));
    for _ in 0..ROUNDS {
        answers(&one, 20).await;
        one.drain().await;
        one = fleet.start(ONE).await;
    }
    let (served, failed) = crowd.disperse().await;
    assert!(failed.is_empty(), "{} calls failed, and {served} did not: {:?}", failed.len(), failed.first());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_backend_killed_again_and_again_fails_only_what_reached_it_on_any_thread() {
    let fleet = Fleet::new();
    let mut one = fleet.start(ONE).await;
    let (_two, _three) = (fleet.start(TWO).await, fleet.start(THREE).await);
    let crowd = Crowd::gather(&eager(&fleet));
    for _ in 0..ROUNDS {
        answers(&one, 20).await;
        one.kill();
        one = fleet.start(ONE).await;
    }
    let (_, failed) = crowd.disperse().await;
    for status in failed {
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        assert!(status.message().starts_with(ONE), "{status:?}");
        assert!(matches!(LocalError::of(&status), Some(LocalError::Wire(_))), "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_name_that_changes_again_and_again_fails_no_call_on_any_thread() {
    let fleet = Fleet::new();
    let backends = [fleet.start(ONE).await, fleet.start(TWO).await, fleet.start(THREE).await];
    let crowd = Crowd::gather(&eager(&fleet));
    let lists = [&[ONE][..], &[TWO, THREE], &[ONE, TWO, THREE], &[THREE]];
    for round in 0..10 * ROUNDS {
        fleet.names.set(fleet.update(lists[round % lists.len()]));
        let so_far: usize = backends.iter().map(Running::calls).sum();
        while backends.iter().map(Running::calls).sum::<usize>() < so_far + 5 {
            tokio::task::yield_now().await;
        }
    }
    let (served, failed) = crowd.disperse().await;
    assert!(failed.is_empty(), "{} calls failed, and {served} did not: {:?}", failed.len(), failed.first());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_beyond_the_servers_limits_all_get_their_turn_while_others_are_given_up() {
    let fleet = Fleet::new();
    let mut backends = vec![];
    for address in [ONE, TWO, THREE] {
        backends.push(fleet.start_with(address, |builder| builder.max_concurrent_streams(2)).await);
    }
    come_and_go(eager(&fleet)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_come_when_they_are_needed_and_go_after_a_while_fail_no_call_on_any_thread() {
    let fleet = Fleet::new();
    let age = Duration::from_millis(20);
    let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(2).max_connection_age(age)).await;
    let scaling = ConnectionScaling { idle_timeout: Some(Duration::from_millis(2)), ..ConnectionScaling::default() };
    let config = r#"{"connectionScaling": {"maxConnectionsPerSubchannel": 4}}"#;
    let builder = fleet.builder(&format!("ipv4:{ONE}")).default_service_config(config);
    for _ in 0..3 {
        let channel = builder.clone().connection_scaling(scaling).build().unwrap();
        come_and_go(channel.clone()).await;
        assert_eq!(channel.subchannel_stats().iter().map(|seen| seen.calls_waiting).sum::<usize>(), 0);
    }
    assert!(one.host.attempts() > 12, "{}", one.host.attempts());
}

/// Callers that let some calls be, and want an answer to the others.
async fn come_and_go(channel: Channel) {
    let mut callers = JoinSet::new();
    for caller in 0..16_usize {
        let channel = channel.clone();
        callers.spawn(async move {
            for turns in (0..200).map(|call| (call * 7 + caller) % 20) {
                let soon = async {
                    for _ in 0..turns {
                        tokio::task::yield_now().await;
                    }
                };
                tokio::select! {
                    biased;
                    reply = hello(&channel, "ann") => drop(reply.unwrap()),
                    () = soon => {}
                }
                hello(&channel, "bob").await.unwrap();
            }
        });
    }
    timeout(Duration::from_secs(60), callers.join_all()).await.expect("a call hangs");
}
