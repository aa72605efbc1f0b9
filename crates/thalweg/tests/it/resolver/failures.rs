//! Names that do not resolve, and those that do again.

use std::time::Duration;

use thalweg::{Channel, core::connectivity::Connectivity, error::LocalError, resolver::ResolveError};
use thalweg_testkit::stub::Stub;
use tokio::{net::TcpListener, time::Instant};
use tonic::Code;

use super::fixture::{WHO, World, call, call_patiently, is_quiet};

fn no_such_host() -> ResolveError {
    ResolveError::NotFound { host: "greeter".into() }
}

#[tokio::test(start_paused = true)]
async fn calls_fail_with_the_resolvers_reason_and_waiting_ones_go_through_when_the_name_heals() {
    let world = World::new();
    let _backend = world.backend("10.0.0.1:80").await;
    let channel = world.channel();
    world.names.fail(no_such_host());
    let status = call(&channel).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.message(), "no backend of names:greeter can be used: no such host: greeter");
    assert_eq!(LocalError::of(&status), Some(&LocalError::NoBackend));
    assert_eq!(channel.state(), Connectivity::TransientFailure);

    let waiting = tokio::spawn({
        let channel = channel.clone();
        async move { call_patiently(&channel).await }
    });
    world.names.asked().await;
    world.names.set(world.update(&["10.0.0.1:80"]));
    assert_eq!(waiting.await.unwrap().unwrap(), "10.0.0.1:80");
    assert_eq!(call(&channel).await.unwrap(), "10.0.0.1:80");
}

#[tokio::test(start_paused = true)]
async fn the_channel_asks_again_after_a_backoff_that_grows() {
    let world = World::new();
    let channel = world.channel();
    world.names.fail(no_such_host());
    call(&channel).await.unwrap_err();
    for seconds in [1.0, 1.6, 2.56] {
        let failed = Instant::now();
        world.names.asked().await;
        let waited = failed.elapsed().as_secs_f64();
        assert!((seconds * 0.79..seconds * 1.21).contains(&waited), "waited {waited} s, not {seconds} s");
        world.names.fail(no_such_host());
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_a_good_result_changes_nothing_for_calls() {
    let world = World::new();
    let _backend = world.backend("10.0.0.1:80").await;
    let channel = world.channel();
    world.names.set(world.update(&["10.0.0.1:80"]));
    call(&channel).await.unwrap();
    world.names.fail(no_such_host());
    world.names.asked().await;
    assert_eq!(call(&channel).await.unwrap(), "10.0.0.1:80");
    assert_eq!(channel.state(), Connectivity::Ready);
}

#[tokio::test(start_paused = true)]
async fn a_name_without_backends_fails_calls_and_is_asked_for_again() {
    let world = World::new();
    let channel = world.channel();
    world.names.set(world.update(&[]));
    assert_eq!(call(&channel).await.unwrap_err().code(), Code::Unavailable);
    assert!(!is_quiet(world.names.asked()).await);
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_refuses_makes_the_channel_ask_for_its_name_again() {
    let world = World::new();
    let channel = world.channel();
    world.names.set(world.update(&["10.0.0.1:80"]));
    world.network.host("10.0.0.1:80").refuse();
    call(&channel).await.unwrap_err();
    let began = Instant::now();
    world.names.asked().await;
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_dns_name_reaches_a_server_on_this_machine() {
    let who = |_| async { Ok(tonic::Response::new("here".into())) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let _server = Stub::new().unary(WHO, who).serve(listener).await;
    let channel = Channel::builder(format!("localhost:{port}")).build().unwrap();
    assert_eq!(call(&channel).await.unwrap(), "here");
}
