//! Servers that send their clients away, under load.

use std::time::Duration;

use crate::support::{
    client,
    fleet::{Fleet, ONE, THREE, TWO},
    load::Load,
    pass, settle, until,
};

#[tokio::test(start_paused = true)]
async fn of_three_backends_one_drained_again_and_again_fails_no_call() {
    let fleet = Fleet::new();
    let mut one = fleet.start(ONE).await;
    let (_two, _three) = (fleet.start(TWO).await, fleet.start(THREE).await);
    let channel = fleet.to_each(&[ONE, TWO, THREE]);
    channel.ready().await;
    settle().await;
    let load = Load::start(&channel, 20);
    for _ in 0..10 {
        pass(Duration::from_millis(500)).await;
        one.drain().await;
        pass(Duration::from_millis(100)).await;
        one = fleet.start(ONE).await;
        until("the first call", Duration::from_millis(10), || one.calls() > 0).await;
    }
    let tally = load.finish().await;
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
    assert!(tally.total() > 5000 && tally.served.len() == 3, "{tally:?}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ages_its_connections_fails_no_call() {
    let fleet = Fleet::new();
    let one = fleet
        .start_with(ONE, |builder| {
            builder.max_connection_age(Duration::from_millis(200)).max_connection_age_grace(Duration::from_secs(5))
        })
        .await;
    one.host.set_latency(Duration::from_millis(1));
    let channel = fleet.to_each(&[ONE]);
    let load = Load::start(&channel, 20);
    pass(Duration::from_secs(10)).await;
    let tally = load.finish().await;
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
    assert!(tally.total() > 9900, "{tally:?}");
    // One connection after another, and never more than the age and the calls on it explain.
    let attempts = one.host.attempts();
    assert!((40..=60).contains(&attempts), "{attempts} connections in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn a_stream_outlives_the_goaway_of_its_connection() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.to_one();
    let repeat = thalweg_proto::demo::HelloRepeatedlyRequest { name: "ann".into(), times: 20, interval_ms: 100 };
    let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
    let (handle, mut read) = (one.handle.clone(), 0);
    let stop = tokio::spawn(async move { handle.graceful_stop(Duration::from_secs(60)).await });
    while replies.message().await.unwrap().is_some() {
        read += 1;
    }
    assert_eq!(read, 20);
    stop.await.unwrap();
}
