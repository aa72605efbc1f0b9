//! Names whose backends change while calls are made.

use std::sync::Arc;

use bytes::Bytes;
use thalweg_testkit::stub::Stub;
use tokio::sync::Notify;
use tonic::Response;

use super::fixture::{WHO, World, call, call_until};

const ROUND_ROBIN: &str = r#"{"loadBalancingConfig": [{"round_robin": {}}]}"#;

#[tokio::test(start_paused = true)]
async fn a_backend_that_joins_gets_traffic_and_the_old_connection_stays() {
    let world = World::new();
    let _backends = [world.backend("10.0.0.1:80").await, world.backend("10.0.0.2:80").await];
    let channel = world.builder().default_service_config(ROUND_ROBIN).build().unwrap();
    world.names.set(world.update(&["10.0.0.1:80"]));
    call_until(&channel, "10.0.0.1:80").await;
    world.names.set(world.update(&["10.0.0.1:80", "10.0.0.2:80"]));
    call_until(&channel, "10.0.0.2:80").await;
    call_until(&channel, "10.0.0.1:80").await;
    let first = world.network.host("10.0.0.1:80");
    assert_eq!(first.attempts(), 1);
    assert!(first.connections().iter().all(|connection| connection.is_open()));
}

#[tokio::test(start_paused = true)]
async fn a_backend_that_leaves_finishes_its_calls_and_gets_no_more() {
    let world = World::new();
    let (begun, finish) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let slow = {
        let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
        move |_| {
            let (begun, finish) = (Arc::clone(&begun), Arc::clone(&finish));
            async move {
                begun.notify_one();
                finish.notified().await;
                Ok(Response::new(Bytes::from_static(b"finished")))
            }
        }
    };
    let leaving = Stub::new().unary(WHO, slow).serve(world.network.listen("10.0.0.1:80")).await;
    let _staying = world.backend("10.0.0.2:80").await;
    let channel = world.channel();
    world.names.set(world.update(&["10.0.0.1:80"]));
    let under_way = tokio::spawn({
        let channel = channel.clone();
        async move { call(&channel).await }
    });
    begun.notified().await;
    world.names.set(world.update(&["10.0.0.2:80"]));
    while world.network.host("10.0.0.2:80").connections().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(call(&channel).await.unwrap(), "10.0.0.2:80");
    finish.notify_one();
    assert_eq!(under_way.await.unwrap().unwrap(), "finished");
    assert_eq!(leaving.calls(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_same_result_again_disturbs_nothing() {
    let world = World::new();
    let _backend = world.backend("10.0.0.1:80").await;
    let channel = world.channel();
    for _ in 0..5 {
        world.names.set(world.update(&["10.0.0.1:80"]));
        assert_eq!(call(&channel).await.unwrap(), "10.0.0.1:80");
    }
    assert_eq!(world.network.host("10.0.0.1:80").attempts(), 1);
}
