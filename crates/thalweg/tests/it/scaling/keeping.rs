//! Who keeps a place in a queue, who leaves it for another backend, and what the wait is told as.

use std::sync::{Arc, Mutex};

use serde_json::json;
use thalweg::Channel;
use thalweg_proto::health::health_server::HealthServer;
use tonic::Code;

use super::SECOND;
use crate::support::{
    call,
    fleet::{Fleet, ONE, ROUND_ROBIN, Running, TWO},
    health::Nurse,
    named, pass, send, settle,
};

/// Two backends, each of which takes one call at a time.
async fn narrow(fleet: &Fleet, config: &str) -> ([Running; 2], Channel) {
    let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(1)).await;
    let two = fleet.start_with(TWO, |builder| builder.max_concurrent_streams(1)).await;
    fleet.names.set(fleet.update(&[ONE, TWO]));
    let channel = fleet.builder("names:fleet").default_service_config(config).build().unwrap();
    channel.ready().await;
    settle().await;
    ([one, two], channel)
}

fn waiting(channel: &Channel) -> Vec<usize> {
    channel.subchannel_stats().iter().map(|stats| stats.calls_waiting).collect()
}

#[tokio::test(start_paused = true)]
async fn calls_keep_their_order_though_the_resolver_says_the_same_again_and_again() {
    let fleet = Fleet::new();
    let (_backends, channel) = narrow(&fleet, ROUND_ROBIN).await;
    let order = Arc::new(Mutex::new(vec![]));
    for number in 0..60_usize {
        let (channel, order) = (channel.clone(), order.clone());
        tokio::spawn(async move {
            send(&channel, named("wait 100")).await.unwrap();
            order.lock().unwrap().push(number);
        });
        settle().await;
    }
    while order.lock().unwrap().len() < 60 {
        pass(SECOND / 27).await;
        fleet.names.set(fleet.update(&[ONE, TWO]));
    }
    let order = order.lock().unwrap();
    // There are two queues, and the two calls that end together may do so in either order.
    assert!(order.iter().enumerate().all(|(place, number)| place.abs_diff(*number) <= 2), "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_a_queue_tells_of_the_whole_wait() {
    let fleet = Fleet::new();
    let (_backends, channel) = narrow(&fleet, ROUND_ROBIN).await;
    let held = [call(&channel, named("hang")), call(&channel, named("hang"))];
    settle().await;
    let mut late = named("ann");
    late.set_timeout(10 * SECOND);
    let late = call(&channel, late);
    for _ in 0..9 {
        pass(SECOND).await;
        fleet.names.set(fleet.update(&[ONE, TWO]));
    }
    let message = late.await.unwrap().unwrap_err().message().to_owned();
    let rest = message.strip_prefix("after 10s: 0ns waiting for a READY backend, 10s waiting for a stream on ");
    assert!(rest.is_some_and(|rest| rest.ends_with("the connection is full (1 stream)")), "{message}");
    held.iter().for_each(|call| call.abort());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waited_in_a_queue_and_has_no_backend_any_more_says_both() {
    let fleet = Fleet::new();
    let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(1)).await;
    let channel = fleet.to_each(&[ONE]);
    let held = call(&channel, named("hang"));
    settle().await;
    let waits = call(&channel, named("ann"));
    pass(5 * SECOND).await;
    one.kill();
    let status = waits.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("connection refused"), "{status:?}");
    assert!(status.message().ends_with(&format!(", after 5s of waiting for a stream on {ONE}")), "{status:?}");
    held.await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_a_stream_are_load_to_least_request() {
    let fleet = Fleet::new();
    let config = json!({"loadBalancingConfig": [{"least_request": {"choiceCount": 10}}]}).to_string();
    let (_backends, channel) = narrow(&fleet, &config).await;
    let mut calls = vec![];
    for _ in 0..82 {
        calls.push(call(&channel, named("hang")));
        settle().await;
    }
    let [one, two] = waiting(&channel)[..] else { panic!("two backends") };
    assert!(one + two == 80 && one.abs_diff(two) <= 2, "{one} and {two}");
    calls.iter().for_each(|call| call.abort());
    settle().await;
    assert_eq!(waiting(&channel), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn calls_in_the_queue_of_a_backend_that_does_not_serve_any_more_go_to_another() {
    let fleet = Fleet::new();
    let nurse = Nurse::new();
    let service = HealthServer::new(nurse.clone());
    // The watch of its health takes one of the streams.
    let one = fleet.start_with(ONE, |builder| builder.add_service(service).max_concurrent_streams(2)).await;
    let two = fleet.start_with(TWO, |builder| builder.max_concurrent_streams(1)).await;
    fleet.names.set(fleet.update(&[ONE, TWO]));
    let config = r#"{"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": "shop.Cart"}}"#;
    let channel = fleet.builder("names:fleet").default_service_config(config).build().unwrap();
    channel.ready().await;
    settle().await;
    let held = [call(&channel, named("hang")), call(&channel, named("hang"))];
    settle().await;
    let rest: Vec<_> = (0..6).map(|_| call(&channel, named("ann"))).collect();
    settle().await;
    assert_eq!(waiting(&channel), [3, 3]);
    nurse.stop_serving();
    settle().await;
    assert_eq!(waiting(&channel), [0, 6]);
    // Of those that went there, none comes back, though there is room now.
    let served = one.calls();
    held.iter().for_each(|call| call.abort());
    for call in rest {
        assert_eq!(call.await.unwrap().unwrap().backend, TWO);
    }
    assert_eq!(one.calls(), served);
    assert!(two.calls() >= 6);
}
