//! Connections that nobody needs.

use thalweg::channel::ConnectionScaling;

use super::{SECOND, most};
use crate::support::{
    call,
    fleet::{Fleet, ONE, Running},
    hello, named, pass, settle,
};

/// A backend with three connections, on which nobody calls any more.
async fn three_connections(scaling: ConnectionScaling) -> (Fleet, Running, thalweg::Channel) {
    let fleet = Fleet::new();
    let one = fleet.start_with(ONE, |builder| builder.max_concurrent_streams(2)).await;
    let builder = fleet.builder(&format!("ipv4:{ONE}")).default_service_config(most(5));
    let channel = builder.connection_scaling(scaling).build().unwrap();
    let hanging: Vec<_> = (0..6).map(|_| call(&channel, named("hang"))).collect();
    settle().await;
    assert_eq!((one.present(), one.host.connections().len()), (6, 3));
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
    settle().await;
    (fleet, one, channel)
}

#[tokio::test(start_paused = true)]
async fn connections_that_nobody_needs_stay_unless_they_are_to_be_closed() {
    let (_fleet, one, _channel) = three_connections(ConnectionScaling::default()).await;
    pass(600 * SECOND).await;
    assert_eq!(one.host.connections().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn surplus_connections_close_when_they_have_been_idle() {
    let scaling = ConnectionScaling { idle_timeout: Some(10 * SECOND), ..ConnectionScaling::default() };
    let (_fleet, one, channel) = three_connections(scaling).await;
    pass(9 * SECOND).await;
    assert_eq!(one.host.connections().len(), 3);
    // The oldest one has calls, and the second one now and then.
    for _ in 0..8 {
        let busy: Vec<_> = (0..3).map(|_| call(&channel, named("wait 1000"))).collect();
        for call in busy {
            call.await.unwrap().unwrap();
        }
        pass(2 * SECOND).await;
    }
    assert_eq!((one.host.connections().len(), channel.connection_stats().len()), (2, 2));
    pass(21 * SECOND).await;
    assert_eq!((one.host.connections().len(), channel.connection_stats().len()), (1, 1));
    assert_eq!(hello(&channel, "ann").await.unwrap().message, "hello ann");
    // They come back when they are needed.
    let hanging: Vec<_> = (0..6).map(|_| call(&channel, named("hang"))).collect();
    settle().await;
    assert_eq!((one.present(), one.host.connections().len()), (6, 3));
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
    pass(21 * SECOND).await;
    assert_eq!(one.host.connections().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_connections_that_are_idle_alike_the_oldest_stays() {
    let scaling = ConnectionScaling { idle_timeout: Some(10 * SECOND), ..ConnectionScaling::default() };
    let (_fleet, one, channel) = three_connections(scaling).await;
    // The oldest one with room is called.
    hello(&channel, "ann").await.unwrap();
    pass(30 * SECOND).await;
    let started =
        channel.subchannel_stats()[0].connections.iter().map(|c| c.counters.streams_started).collect::<Vec<_>>();
    assert_eq!((one.host.connections().len(), started), (1, vec![3]));
}

#[tokio::test(start_paused = true)]
async fn as_many_stay_as_there_were_to_be_from_the_beginning() {
    let scaling = ConnectionScaling { initial: 2, idle_timeout: Some(10 * SECOND), ..ConnectionScaling::default() };
    let (_fleet, one, _channel) = three_connections(scaling).await;
    pass(600 * SECOND).await;
    assert_eq!((one.host.connections().len(), one.host.attempts()), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn calls_while_surplus_connections_close_all_succeed() {
    let scaling = ConnectionScaling { idle_timeout: Some(SECOND / 50), ..ConnectionScaling::default() };
    let (_fleet, one, channel) = three_connections(scaling).await;
    for round in 0..200 {
        let crowd: Vec<_> = (0..7).map(|_| call(&channel, named("wait 5"))).collect();
        for call in crowd {
            call.await.unwrap().unwrap();
        }
        pass(SECOND / 1000 * (round % 60)).await;
    }
    assert!(one.host.attempts() > 20, "{}", one.host.attempts());
}
