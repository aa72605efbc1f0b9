//! The network does what it says, on paused time.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout},
};

use super::*;

const HOST: &str = "10.0.0.1:50051";

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

async fn connect(network: &Network) -> Result<Connected, ConnectError> {
    network.connect(address_of(HOST)).await
}

/// A connection and its other end.
async fn pair(network: &Network, listener: &mut Listener) -> (Connected, Connected) {
    let ours = connect(network).await.unwrap();
    (ours, listener.accept().await)
}

#[tokio::test(start_paused = true)]
async fn bytes_travel_both_ways_and_a_drop_is_an_end() {
    let network = Network::new();
    let mut listener = network.listen(HOST);
    let (mut ours, mut theirs) = pair(&network, &mut listener).await;
    assert_eq!((&ours.peer.remote, &ours.peer.local), (&theirs.peer.local, &theirs.peer.remote));
    ours.io.write_all(b"ping").await.unwrap();
    let mut read = [0; 4];
    theirs.io.read_exact(&mut read).await.unwrap();
    theirs.io.write_all(b"pong").await.unwrap();
    drop(theirs);
    let mut rest = String::new();
    ours.io.read_to_string(&mut rest).await.unwrap();
    assert_eq!((&read, rest.as_str()), (b"ping", "pong"));
    assert_eq!(ours.io.write_all(b"more").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    assert!(listener.host().connections().is_empty());
}

#[tokio::test(start_paused = true)]
async fn nobody_listening_is_a_refusal_and_so_is_a_dropped_listener() {
    let network = Network::new();
    assert_eq!(connect(&network).await.unwrap_err().to_string(), "connection refused");
    drop(network.listen(HOST));
    assert!(connect(&network).await.is_err());
    let _listener = network.listen(HOST);
    assert!(connect(&network).await.is_ok());
    assert_eq!(network.host(HOST).attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_black_hole_answers_nothing_until_it_is_healed() {
    let network = Network::new();
    let _listener = network.listen(HOST);
    network.host(HOST).black_hole();
    assert!(timeout(seconds(3600), connect(&network)).await.is_err());
    let waiting = tokio::spawn({
        let network = network.clone();
        async move { connect(&network).await.is_ok() }
    });
    tokio::task::yield_now().await;
    network.host(HOST).heal();
    assert!(waiting.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_killed_host_resets_and_refuses_until_it_is_healed() {
    let network = Network::new();
    let mut listener = network.listen(HOST);
    let (mut ours, mut theirs) = pair(&network, &mut listener).await;
    network.host(HOST).kill();
    for io in [&mut ours.io, &mut theirs.io] {
        assert_eq!(io.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        assert!(io.write_all(b"x").await.is_err());
    }
    assert!(connect(&network).await.is_err());
    network.host(HOST).heal();
    assert!(ours.io.read_u8().await.is_err());
    assert!(connect(&network).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_waits_is_told_of_a_cut() {
    let network = Network::new();
    let mut listener = network.listen(HOST);
    let (mut ours, _theirs) = pair(&network, &mut listener).await;
    let reading = tokio::spawn(async move { ours.io.read_u8().await.is_err() });
    tokio::task::yield_now().await;
    listener.host().cut();
    assert!(reading.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn stalled_bytes_arrive_once_healed_and_new_connections_stall_too() {
    let network = Network::new();
    let mut listener = network.listen(HOST);
    let (mut ours, mut theirs) = pair(&network, &mut listener).await;
    network.host(HOST).stall();
    ours.io.write_all(b"a").await.unwrap();
    assert!(timeout(seconds(60), theirs.io.read_u8()).await.is_err());
    let (mut late, mut late_theirs) = pair(&network, &mut listener).await;
    late.io.write_all(b"b").await.unwrap();
    assert!(timeout(seconds(60), late_theirs.io.read_u8()).await.is_err());
    network.host(HOST).heal();
    assert_eq!((theirs.io.read_u8().await.unwrap(), late_theirs.io.read_u8().await.unwrap()), (b'a', b'b'));
}

#[tokio::test(start_paused = true)]
async fn one_connection_may_stall_alone_and_a_writer_waits_when_the_wire_is_full() {
    let network = Network::new();
    let mut listener = network.listen(HOST);
    let (mut ours, mut theirs) = pair(&network, &mut listener).await;
    let (mut other, mut other_theirs) = pair(&network, &mut listener).await;
    listener.host().connections()[0].stall();
    assert!(timeout(seconds(60), ours.io.write_all(&[7; 1 << 20])).await.is_err());
    other.io.write_all(b"x").await.unwrap();
    assert_eq!(other_theirs.io.read_u8().await.unwrap(), b'x');
    listener.host().connections()[0].heal();
    let mut read = vec![0; 64 << 10];
    theirs.io.read_exact(&mut read).await.unwrap();
    assert!(timeout(seconds(1), ours.io.write_all(b"y")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_silent_for_the_client_and_reset_once_the_host_is_back() {
    let network = Network::new();
    let mut listener = network.listen(HOST);
    let (mut ours, mut theirs) = pair(&network, &mut listener).await;
    network.host(HOST).half_open();
    assert!(theirs.io.read_u8().await.is_err());
    drop(theirs);
    ours.io.write_all(b"ping").await.unwrap();
    assert!(timeout(seconds(3600), ours.io.read_u8()).await.is_err());
    assert!(timeout(seconds(3600), connect(&network)).await.is_err());
    network.host(HOST).heal();
    assert_eq!(ours.io.read_u8().await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test(start_paused = true)]
async fn latency_delays_connecting_bytes_and_the_end_in_order() {
    let network = Network::new();
    let mut listener = network.listen(HOST);
    network.host(HOST).set_latency(seconds(1));
    let start = Instant::now();
    let (mut ours, mut theirs) = pair(&network, &mut listener).await;
    assert_eq!(start.elapsed(), seconds(2));
    ours.io.write_all(b"slow").await.unwrap();
    network.host(HOST).set_latency(Duration::ZERO);
    ours.io.write_all(b"fast").await.unwrap();
    drop(ours);
    let mut all = String::new();
    theirs.io.read_to_string(&mut all).await.unwrap();
    assert_eq!((all.as_str(), start.elapsed()), ("slowfast", seconds(3)));
}

#[tokio::test(start_paused = true)]
async fn hosts_have_names_too_and_a_second_listener_takes_over() {
    let network = Network::new();
    let mut first = network.listen("greeter");
    let mut second = network.listen("greeter");
    network.connect(Address::Opaque("greeter".into())).await.unwrap();
    second.accept().await;
    assert!(timeout(seconds(1), first.accept()).await.is_err());
}
