//! The channel as such: laziness, states, idleness, queueing, and its end.

use std::time::Duration;

use thalweg::{Channel, core::connectivity::Connectivity, error::LocalError, request::RequestExt};
use thalweg_proto::demo::HelloRepeatedlyRequest;
use thalweg_testkit::network::Network;
use tonic::{Code, Status};

use crate::support::{
    call, client,
    fleet::{Fleet, ONE, TWO},
    hello, named, pass,
    script::{Script, answer},
    send, settle, told,
};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn nothing_happens_before_the_first_call() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let mut client = client(&channel);
    pass(MINUTE).await;
    assert_eq!((channel.state(), one.host.attempts()), (Connectivity::Idle, 0));
    client.say_hello(named("ann")).await.unwrap();
    assert_eq!((channel.state(), one.host.attempts()), (Connectivity::Ready, 1));
}

#[test]
fn a_channel_is_built_without_a_runtime() {
    let channel = Channel::builder("greeter:50051").build().unwrap();
    assert_eq!((channel.state(), channel.target()), (Connectivity::Idle, "greeter:50051"));
    assert_eq!(format!("{channel:?}"), r#"Channel { target: "greeter:50051", state: Idle }"#);
}

#[tokio::test(start_paused = true)]
async fn the_states_of_a_channel_are_seen_as_they_change() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.set_latency(Duration::from_millis(10));
    let channel = fleet.to_one();
    channel.connect();
    assert_eq!(channel.state_change(Connectivity::Idle).await, Connectivity::Connecting);
    assert_eq!(channel.state_change(Connectivity::Connecting).await, Connectivity::Ready);
    one.kill();
    assert_eq!(channel.state_change(Connectivity::Ready).await, Connectivity::Idle);
    // pick_first waits to be asked.
    pass(MINUTE).await;
    assert_eq!((channel.state(), one.host.attempts()), (Connectivity::Idle, 1));
    channel.connect();
    assert_eq!(channel.state_change(Connectivity::Idle).await, Connectivity::Connecting);
    assert_eq!(channel.state_change(Connectivity::Connecting).await, Connectivity::TransientFailure);
    let _one = fleet.start(ONE).await;
    assert_eq!(channel.state_change(Connectivity::TransientFailure).await, Connectivity::Ready);
}

#[tokio::test(start_paused = true)]
async fn ready_waits_through_failures_and_idleness() {
    let fleet = Fleet::new();
    fleet.network.host(ONE).refuse();
    let channel = fleet.to_one();
    let waiting = tokio::spawn({
        let channel = channel.clone();
        async move { channel.ready().await }
    });
    pass(MINUTE).await;
    assert!(!waiting.is_finished());
    let one = fleet.start(ONE).await;
    waiting.await.unwrap();
    assert_eq!((channel.state(), one.calls()), (Connectivity::Ready, 0));
}

#[tokio::test(start_paused = true)]
async fn a_channel_without_calls_closes_its_connections_after_half_an_hour() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    hello(&channel, "ann").await.unwrap();
    pass(29 * MINUTE).await;
    hello(&channel, "ann").await.unwrap();
    pass(29 * MINUTE).await;
    assert_eq!((channel.state(), one.host.connections().len()), (Connectivity::Ready, 1));
    pass(2 * MINUTE).await;
    assert_eq!((channel.state(), one.host.connections().len()), (Connectivity::Idle, 0));
    assert_eq!(one.host.attempts(), 1);
    assert_eq!(hello(&channel, "bob").await.unwrap().message, "hello bob");
    assert_eq!((channel.state(), one.host.attempts()), (Connectivity::Ready, 2));
    pass(31 * MINUTE).await;
    assert_eq!(channel.state(), Connectivity::Idle);
}

#[tokio::test(start_paused = true)]
async fn a_call_in_flight_keeps_the_channel_awake() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).idle_timeout(Some(MINUTE)).build().unwrap();
    let repeat = HelloRepeatedlyRequest { name: "stay".into(), times: 1, interval_ms: 0 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    pass(60 * MINUTE).await;
    assert_eq!((channel.state(), one.present()), (Connectivity::Ready, 1));
    replies.message().await.unwrap().unwrap();
    drop(replies);
    pass(MINUTE / 2).await;
    assert_eq!(channel.state(), Connectivity::Ready);
    pass(2 * MINUTE).await;
    assert_eq!((channel.state(), one.host.connections().len()), (Connectivity::Idle, 0));
}

#[tokio::test(start_paused = true)]
async fn a_channel_may_never_go_idle() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).idle_timeout(None).build().unwrap();
    hello(&channel, "ann").await.unwrap();
    pass(10_000 * MINUTE).await;
    assert_eq!(channel.state(), Connectivity::Ready);
}

#[tokio::test(start_paused = true)]
async fn an_idle_channel_looks_its_name_up_anew() {
    let fleet = Fleet::new();
    let (_one, _two) = (fleet.start(ONE).await, fleet.start(TWO).await);
    fleet.names.set(fleet.update(&[ONE]));
    let channel = fleet.builder("names:fleet").build().unwrap();
    assert_eq!(hello(&channel, "ann").await.unwrap().backend, ONE);
    pass(31 * MINUTE).await;
    fleet.names.set(fleet.update(&[TWO]));
    settle().await;
    assert_eq!(channel.state(), Connectivity::Idle);
    assert_eq!(hello(&channel, "ann").await.unwrap().backend, TWO);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_while_the_channel_connects() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.black_hole();
    let channel = fleet.to_one();
    let waiting: Vec<_> = (0..10).map(|_| call(&channel, named("ann"))).collect();
    pass(Duration::from_secs(10)).await;
    assert_eq!(channel.state(), Connectivity::Connecting);
    assert!(waiting.iter().all(|call| !call.is_finished()));
    one.host.heal();
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap().message, "hello ann");
    }
    assert_eq!(one.host.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_a_backend_a_call_fails_at_once_with_the_whole_story_or_waits_if_it_was_told_to() {
    let fleet = Fleet::new();
    for address in [ONE, TWO] {
        fleet.network.host(address).refuse();
    }
    let target = format!("ipv4:{ONE},{TWO}");
    let channel = fleet.builder(&target).build().unwrap();
    let status = hello(&channel, "ann").await.unwrap_err();
    let story = format!(
        "no backend of {target} can be used: {ONE} connection refused; {TWO} connection refused (next attempt in "
    );
    let (code, message, mark) = told(&status);
    assert_eq!((code, mark), (Code::Unavailable, Some(LocalError::NoBackend)));
    assert!(message.starts_with(&story) && message.ends_with("s)"), "{message}");

    let mut patient = named("ann");
    patient.set_wait_for_ready(true);
    let patient = call(&channel, patient);
    pass(MINUTE).await;
    assert!(!patient.is_finished());
    let _two = fleet.start(TWO).await;
    assert_eq!(patient.await.unwrap().unwrap().backend, TWO);
}

#[tokio::test(start_paused = true)]
async fn calls_finish_on_a_channel_that_was_dropped_and_then_its_connections_close() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let unary = call(&channel, named("wait 1000"));
    let repeat = HelloRepeatedlyRequest { name: "ann".into(), times: 10, interval_ms: 500 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    settle().await;
    drop(channel);
    assert_eq!(unary.await.unwrap().unwrap().message, "hello at last");
    for _ in 0..10 {
        assert_eq!(replies.message().await.unwrap().unwrap().message, "hello ann");
    }
    assert_eq!(one.host.connections().len(), 1);
    assert_eq!(replies.message().await.unwrap(), None);
    drop(replies);
    settle().await;
    assert_eq!(one.host.connections().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_on_a_channel_that_was_dropped_still_goes_through() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.black_hole();
    let waiting = call(&fleet.to_one(), named("ann"));
    settle().await;
    one.host.heal();
    assert_eq!(waiting.await.unwrap().unwrap().message, "hello ann");
    settle().await;
    assert_eq!(one.host.connections().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_of_a_dropped_channel_says_goodbye() {
    let mut script = Script::new();
    let (call, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    answer(&mut peer, head.stream, "hello").await;
    call.await.unwrap().unwrap();
    let Script { channel, listener: _listener, .. } = script;
    drop(channel);
    assert_eq!(peer.expect_go_away().await.code, 0);
    peer.expect_close().await;
}

/// Runs a channel on one runtime, and calls from another.
#[test]
fn calls_fail_and_do_not_hang_when_the_channels_runtime_is_shut_down() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (mine, theirs, servers) = (runtime(), runtime(), runtime());
    let fleet = Fleet::new();
    let _one = servers.block_on(fleet.start(ONE));
    let (served, waiting) = (fleet.to_one(), {
        fleet.network.host(TWO).black_hole();
        fleet.builder(&format!("ipv4:{TWO}")).build().unwrap()
    });
    theirs.block_on(async {
        served.ready().await;
        waiting.connect();
        waiting.state_change(Connectivity::Idle).await;
    });
    let calls = mine.block_on(async {
        let calls = [call(&served, named("hang")), call(&waiting, named("ann"))];
        while _one.present() == 0 {
            tokio::task::yield_now().await;
        }
        calls
    });
    theirs.shutdown_background();
    let gone = "the runtime that the channel ran on has shut down";
    mine.block_on(async {
        let [in_flight, queued] = calls;
        let status = in_flight.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status:?}");
        let status: Status = queued.await.unwrap().unwrap_err();
        assert_eq!(told(&status), (Code::Unavailable, gone, Some(LocalError::Shutdown)));
        for channel in [&served, &waiting] {
            let mut patient = named("ann");
            patient.set_wait_for_ready(true);
            let status = send(channel, patient).await.unwrap_err();
            assert_eq!(told(&status), (Code::Unavailable, gone, Some(LocalError::Shutdown)));
            assert_eq!(channel.state(), Connectivity::Shutdown);
        }
    });
    servers.shutdown_background();
}

#[tokio::test(start_paused = true)]
async fn a_drained_connection_ends_without_hurting_the_one_after_it() {
    let mut script = Script::new();
    let (first, mut old, head) = script.call().await;
    old.go_away(head.stream, 0, "").await;
    settle().await;
    assert_eq!(script.channel.state(), Connectivity::Idle);
    let second = call(&script.channel, named("bob"));
    let mut new = script.accept().await;
    let stream = new.expect_headers().await.stream;
    answer(&mut new, stream, "hello bob").await;
    assert_eq!(second.await.unwrap().unwrap().message, "hello bob");
    old.expect_message(head.stream).await;
    answer(&mut old, head.stream, "hello ann").await;
    assert_eq!(first.await.unwrap().unwrap().message, "hello ann");
    old.expect_close().await;
    pass(MINUTE).await;
    assert_eq!((script.channel.state(), script.listener.host().attempts()), (Connectivity::Ready, 2));
}

#[tokio::test(start_paused = true)]
async fn two_channels_share_nothing() {
    let network = Network::new();
    let listener = network.listen(ONE);
    let build = || Channel::builder(format!("ipv4:{ONE}")).connector(network.clone()).build().unwrap();
    let (a, b) = (build(), build());
    a.connect();
    b.connect();
    settle().await;
    assert_eq!(listener.host().attempts(), 2);
}
