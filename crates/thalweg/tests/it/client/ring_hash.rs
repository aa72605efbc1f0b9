//! `ring_hash`, as calls feel it: their metadata, or a hash that the config selector gives, decide where they go (A42, A76).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use thalweg::{
    Channel,
    config::{CallConfig, CallInfo, ConfigSelector},
    core::{connectivity::Connectivity, status::Status as CoreStatus},
    error::LocalError,
    resolver::ResolverUpdate,
};
use tonic::Code;

use crate::support::{
    fleet::{Fleet, ONE, THREE, TWO},
    hello, named, pass, send, settle, told,
};

const BACKENDS: [&str; 3] = [ONE, TWO, THREE];

fn balanced(fleet: &Fleet, ring_hash: &str) -> Channel {
    fleet.names.set(fleet.update(&BACKENDS));
    let config = format!(r#"{{"loadBalancingConfig": [{{"ring_hash_experimental": {ring_hash}}}]}}"#);
    fleet.builder("names:fleet").default_service_config(config).build().unwrap()
}

/// Which backend answers a user.
async fn home(channel: &Channel, user: &str) -> String {
    let mut request = named("ann");
    for part in user.split(',') {
        request.metadata_mut().append("x-user", part.parse().unwrap());
    }
    send(channel, request).await.unwrap().backend
}

async fn homes(channel: &Channel) -> Vec<String> {
    let mut homes = vec![];
    for user in 0..60 {
        homes.push(home(channel, &format!("user-{user}")).await);
    }
    homes
}

#[tokio::test(start_paused = true)]
async fn the_calls_of_a_user_go_to_one_backend_and_move_only_while_it_is_away() {
    let fleet = Fleet::new();
    let (_one, two, _three) = (fleet.start(ONE).await, fleet.start(TWO).await, fleet.start(THREE).await);
    let channel = balanced(&fleet, r#"{"requestHashHeader": "X-User"}"#);
    let before = homes(&channel).await;
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 3);
    assert_eq!(homes(&channel).await, before);
    assert_eq!(home(&channel, "tenant,ann").await, home(&channel, "tenant,ann").await);
    two.kill();
    settle().await;
    let without = homes(&channel).await;
    for (before, without) in before.iter().zip(&without) {
        assert!(if before == TWO { without != TWO } else { without == before });
    }
    let _two = fleet.start(TWO).await;
    pass(Duration::from_millis(1300)).await;
    assert_eq!(homes(&channel).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_no_user_needs_is_not_connected_to() {
    let fleet = Fleet::new();
    let running = [fleet.start(ONE).await, fleet.start(TWO).await, fleet.start(THREE).await];
    let channel = balanced(&fleet, r#"{"requestHashHeader": "x-user"}"#);
    channel.connect();
    for _ in 0..20 {
        let home = home(&channel, "ann").await;
        assert!(BACKENDS.contains(&home.as_str()));
    }
    let attempts: usize = running.iter().map(|backend| backend.host.attempts()).sum();
    // One because somebody connects, perhaps another because of the call.
    assert!((1..=2).contains(&attempts), "{attempts} attempts");
}

#[tokio::test(start_paused = true)]
async fn calls_without_the_header_are_answered_by_what_is_ready_and_come_to_use_every_backend() {
    let fleet = Fleet::new();
    let _running = [fleet.start(ONE).await, fleet.start(TWO).await, fleet.start(THREE).await];
    let channel = balanced(&fleet, r#"{"requestHashHeader": "x-user"}"#);
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        seen.insert(hello(&channel, "ann").await.unwrap().backend);
        settle().await;
    }
    assert_eq!(seen.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn without_a_header_in_the_config_or_a_hash_calls_fail_even_if_they_wait_for_ready() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let channel = balanced(&fleet, "{}");
    let failed = hello(&channel, "ann").await.unwrap_err();
    let text = "ring_hash has no hash for this call: its configuration has no requestHashHeader, and the config selector \
                gave no hash";
    assert_eq!(told(&failed), (Code::Internal, text, Some(LocalError::NoBackend)));
    assert_eq!(channel.state(), Connectivity::Idle);
}

/// Hashes calls by the length of their user's name, as xDS might by a hash policy.
#[derive(Debug)]
struct ByLength;

impl ConfigSelector for ByLength {
    fn select(&self, call: &CallInfo<'_>) -> Result<CallConfig, CoreStatus> {
        let mut hash = 0;
        call.metadata.each_value("x-user", &mut |value| hash = (value.len() as u64) << 56);
        Ok(CallConfig { method: None, hash: Some(hash) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_config_selector_may_give_the_hash() {
    let fleet = Fleet::new();
    let _running = [fleet.start(ONE).await, fleet.start(TWO).await, fleet.start(THREE).await];
    let channel = balanced(&fleet, "{}");
    let config_selector: Arc<dyn ConfigSelector> = Arc::new(ByLength);
    fleet.names.set(ResolverUpdate { config_selector: Some(config_selector), ..fleet.update(&BACKENDS) });
    let mut homes = BTreeSet::new();
    for length in 1..60 {
        let home_of = home(&channel, &"a".repeat(length)).await;
        assert_eq!(home(&channel, &"b".repeat(length)).await, home_of);
        homes.insert(home_of);
    }
    assert_eq!(homes.len(), 3);
}
