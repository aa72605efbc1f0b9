//! Backends that are killed and connections that are reset.

use std::time::Duration;

use thalweg::{
    core::connectivity::Connectivity,
    error::{LocalError, Processed, Who, WireError, WireErrorKind},
};
use thalweg_proto::demo::HelloRepeatedlyRequest;
use tonic::Code;

use crate::support::{
    call, client,
    fleet::{Fleet, ONE, THREE, TWO},
    hello,
    load::Load,
    named, pass, settle, told, until,
};

fn reset(processed: Processed) -> Option<LocalError> {
    let kind = WireErrorKind::Io(std::io::ErrorKind::ConnectionReset, "connection reset by peer".into());
    Some(LocalError::Wire(WireError { who: Who::Network, processed, kind }))
}

#[tokio::test(start_paused = true)]
async fn a_backend_killed_in_the_middle_of_a_stream_ends_it_with_unavailable_and_its_address() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let repeat = HelloRepeatedlyRequest { name: "stay".into(), times: 2, interval_ms: 0 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    for _ in 0..2 {
        assert_eq!(replies.message().await.unwrap().unwrap().backend, ONE);
    }
    one.kill();
    let status = replies.message().await.unwrap_err();
    let text = format!("{ONE}: connection reset by peer");
    assert_eq!(told(&status), (Code::Unavailable, &*text, reset(Processed::Yes)));
    settle().await;
    assert_eq!(channel.state(), Connectivity::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_reset_connection_fails_every_call_on_it_and_the_next_call_connects_anew() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let calls: Vec<_> = (0..10).map(|_| call(&channel, named("hang"))).collect();
    settle().await;
    one.host.cut();
    for call in calls {
        let status = call.await.unwrap().unwrap_err();
        let text = format!("{ONE}: connection reset by peer");
        assert_eq!(told(&status), (Code::Unavailable, &*text, reset(Processed::Maybe)));
    }
    assert_eq!(hello(&channel, "ann").await.unwrap().message, "hello ann");
    assert_eq!(one.host.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn of_three_backends_one_killed_again_and_again_fails_only_calls_that_had_reached_it() {
    let fleet = Fleet::new();
    let mut one = fleet.start(ONE).await;
    let (_two, _three) = (fleet.start(TWO).await, fleet.start(THREE).await);
    let channel = fleet.to_each(&[ONE, TWO, THREE]);
    channel.ready().await;
    settle().await;
    let load = Load::start(&channel, 20);
    let mut reached = 0;
    for _ in 0..10 {
        pass(Duration::from_millis(500)).await;
        reached += one.present();
        one.kill();
        pass(Duration::from_millis(500)).await;
        one = fleet.start(ONE).await;
        // Whatever the backoff has come to, a new attempt is made in this time.
        until("another connection", Duration::from_millis(10), || !channel_is_without(&one)).await;
    }
    let tally = load.finish().await;
    assert!(reached > 50 && tally.total() > 5000, "{reached} {tally:?}");
    assert_eq!(tally.served.len(), 3);
    for status in &tally.failed {
        let text = format!("{ONE}: connection reset by peer");
        assert_eq!(told(status), (Code::Unavailable, &*text, reset(Processed::Maybe)));
    }
    assert!(tally.failed.len() <= reached + 10, "{} calls failed of {reached} that had arrived", tally.failed.len());
}

fn channel_is_without(backend: &crate::support::fleet::Running) -> bool {
    backend.calls() == 0
}

#[tokio::test(start_paused = true)]
async fn a_backend_killed_while_calls_wait_for_a_connection_fails_none_of_them_if_another_serves() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let _two = fleet.start(TWO).await;
    for address in [ONE, TWO] {
        fleet.network.host(address).set_latency(Duration::from_millis(50));
    }
    let channel = fleet.to_each(&[ONE, TWO]);
    let calls: Vec<_> = (0..10).map(|_| call(&channel, named("ann"))).collect();
    pass(Duration::from_millis(60)).await;
    one.kill();
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().backend, TWO);
    }
}
