//! Windows as they are on the wire: what is announced, what is used, and what is given back for what was read.

use std::time::Duration;

use thalweg::transport::options::Http2Options;
use thalweg_testkit::peer::Peer;
use tokio::time::timeout;

use super::{INITIAL, LARGEST, WINDOW, ask, read_request};
use crate::{
    server::fixture::{SAY_HELLO, TO_ALL, World, hello},
    support::{
        call, named,
        script::{END, HEAD, Script, answer, reply},
        settle,
    },
};

/// A reply of this many bytes, with its prefix.
fn message(bytes: usize) -> Vec<u8> {
    let reply = reply(&"x".repeat(bytes));
    [&[0][..], &(reply.len() as u32).to_be_bytes(), &reply].concat()
}

#[tokio::test(start_paused = true)]
async fn a_client_announces_its_windows_and_keeps_them_as_they_are() {
    let http2 = Http2Options { stream_window: 300_000, connection_window: 700_000, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(http2));
    let call = call(&script.channel, named("ann"));
    let mut peer = Peer::new(script.listener.accept().await.io);
    let announced = peer.expect_preface().await;
    assert!(announced.contains(&(WINDOW, 300_000)), "{announced:?}");
    assert_eq!(peer.expect_window_update(0).await, 700_000 - INITIAL);
    peer.send_settings(&[]).await;
    let stream = read_request(&mut peer).await;
    peer.send_headers(stream, HEAD).await;
    peer.send_data(stream, &message(200_000)).await;
    peer.send_trailers(stream, END).await;
    assert_eq!(call.await.unwrap().unwrap().message.len(), 200_000);
    let [connection] = script.channel.connection_stats()[..] else { panic!("one connection") };
    assert_eq!(connection.receive_window, 700_000 - message(200_000).len() as i64);
    assert!(timeout(Duration::from_secs(9), peer.expect_ping()).await.is_err(), "nothing is measured");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_credited_what_was_read_whenever_it_is_half_its_window() {
    const WINDOW: usize = 100_000;
    let http2 = Http2Options { stream_window: WINDOW as u32, connection_window: 1 << 20, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(http2));
    let call = ask(&script);
    let mut peer = script.accept().await;
    let stream = read_request(&mut peer).await;
    peer.send_headers(stream, HEAD).await;
    let mut replies = call.await.unwrap().unwrap();
    let (mut read, mut credited) = (0, 0);
    for _ in 0..50 {
        peer.send_data(stream, &message(20_000)).await;
        settle().await;
        let nothing = timeout(Duration::ZERO, peer.expect_window_update(stream)).await;
        assert!(nothing.is_err(), "nobody has read, and {nothing:?} was given back");
        replies.message().await.unwrap().unwrap();
        read += message(20_000).len();
        while let Ok(credit) = timeout(Duration::from_millis(1), peer.expect_window_update(stream)).await {
            assert!(credit as usize >= WINDOW / 2, "{credit}");
            credited += credit as usize;
        }
        assert!(credited <= read && read - credited < WINDOW / 2, "{credited} of {read}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_larger_than_all_windows_comes_through() {
    let http2 = Http2Options { stream_window: INITIAL, connection_window: INITIAL, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(http2));
    let call = call(&script.channel, named("ann"));
    let mut peer = script.accept().await;
    let stream = read_request(&mut peer).await;
    peer.send_headers(stream, HEAD).await;
    let message = message(1_000_000);
    let (mut sent, mut windows) = (0, [INITIAL, INITIAL]);
    while sent < message.len() {
        let room = windows[0].min(windows[1]).min(16_384) as usize;
        let part = &message[sent..message.len().min(sent + room)];
        peer.send_data(stream, part).await;
        sent += part.len();
        windows.iter_mut().for_each(|window| *window -= part.len() as u32);
        for (window, id) in windows.iter_mut().zip([0, stream]) {
            if *window < 16_384 && sent < message.len() {
                *window += peer.expect_window_update(id).await;
            }
        }
    }
    peer.send_trailers(stream, END).await;
    assert_eq!(call.await.unwrap().unwrap().message.len(), 1_000_000);
}

#[tokio::test(start_paused = true)]
async fn what_comes_for_a_call_that_was_given_up_is_given_back_to_the_connection() {
    let http2 = Http2Options { stream_window: INITIAL, connection_window: INITIAL, ..Http2Options::default() };
    let mut script = Script::with(|builder| builder.http2(http2));
    let (call, mut peer, head) = script.call().await;
    call.abort();
    peer.expect_message(head.stream).await;
    peer.expect_end(head.stream).await;
    peer.expect_reset(head.stream).await;
    let mut returned = 0;
    peer.send_headers(head.stream, HEAD).await;
    for _ in 0..10 {
        peer.send_data(head.stream, &[0; 40_000]).await;
        returned += peer.expect_window_update(0).await;
    }
    assert!(returned >= 400_000 - INITIAL / 2, "{returned}");
    let next = crate::support::call(&script.channel, named("bob"));
    let stream = peer.expect_headers_on(3).await.stream;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello bob");
}

#[tokio::test(start_paused = true)]
async fn a_request_keeps_to_both_windows_to_the_byte() {
    let mut script = Script::new();
    let call = call(&script.channel, named(&"x".repeat(200_000)));
    let mut peer = script.accept_with(&[(WINDOW, 1000)]).await;
    peer.withhold_credit();
    let stream = peer.expect_headers().await.stream;
    let mut received = 0;
    let mut expect = async |peer: &mut Peer, total: usize| {
        while received < total {
            received += peer.expect_data(stream).await.bytes.len();
        }
        assert_eq!(received, total);
        peer.expect_quiet(Duration::from_secs(1)).await;
    };
    expect(&mut peer, 1000).await;
    peer.send_window_update(stream, 1).await;
    expect(&mut peer, 1001).await;
    // The stream may send more than the connection.
    peer.send_window_update(stream, 150_000).await;
    expect(&mut peer, INITIAL as usize).await;
    peer.send_window_update(0, 10).await;
    expect(&mut peer, INITIAL as usize + 10).await;
    peer.send_window_update(0, LARGEST - 10).await;
    expect(&mut peer, 151_001).await;
    peer.send_window_update(stream, LARGEST).await;
    while !peer.expect_data(stream).await.end {}
    answer(&mut peer, stream, "hello").await;
    assert_eq!(call.await.unwrap().unwrap().message, "hello");
}

#[tokio::test(start_paused = true)]
async fn a_channel_shows_the_windows_of_each_open_stream() {
    let mut script = Script::new();
    assert_eq!(script.channel.stream_stats().await, []);
    let first = ask(&script);
    let mut peer = script.accept_with(&[(WINDOW, 1000)]).await;
    peer.withhold_credit();
    let answered = read_request(&mut peer).await;
    peer.send_headers(answered, HEAD).await;
    let _unread = first.await.unwrap().unwrap();
    peer.send_data(answered, &[0; 10_000]).await;
    let _second = call(&script.channel, named(&"x".repeat(5000)));
    settle().await;

    let seen = script.channel.stream_stats().await;
    let windows = seen.iter().map(|stream| (stream.connection, stream.id, stream.send_window, stream.receive_window));
    // The first request is an empty message, which has a prefix.
    assert_eq!(windows.collect::<Vec<_>>(), [(1, 1, 1000 - 5, (512 << 10) - 10_000), (1, 3, 0, 512 << 10)]);
    assert_eq!(seen.iter().map(|stream| stream.waiting).collect::<Vec<_>>(), [false, true]);

    script.listener.host().cut();
    settle().await;
    assert_eq!(script.channel.stream_stats().await, []);
}

#[tokio::test(start_paused = true)]
async fn a_server_shows_the_windows_of_each_open_stream() {
    let world = World::plain().await;
    let mut connections = vec![];
    for bytes in [10_000, 20_000] {
        let mut client = Peer::new(world.pipe().await);
        client.withhold_credit();
        client.send_preface(&[]).await;
        let unread = client.send_request(TO_ALL, &[("x-mode", "ignore")]).await;
        client.send_data(unread, &vec![0; bytes]).await;
        let stuck = client.send_request(SAY_HELLO, &[]).await;
        client.send_data(stuck, &hello("large")).await;
        client.send_end(stuck).await;
        connections.push(client);
        settle().await;
    }
    let seen = world.handle.stream_stats().await;
    let streams = seen.iter().map(|stream| (stream.connection, stream.id, stream.send_window, stream.waiting));
    let (idle, stuck) = ((i64::from(INITIAL), false), (0, true));
    let expected = [(1, 1, idle), (1, 3, stuck), (2, 1, idle), (2, 3, stuck)];
    assert_eq!(streams.collect::<Vec<_>>(), expected.map(|(on, id, (window, waiting))| (on, id, window, waiting)));
    let unread: Vec<_> = seen.iter().map(|stream| (512 << 10) - stream.receive_window).collect();
    assert_eq!(unread, [10_000, hello("large").len() as i64, 20_000, hello("large").len() as i64]);
}
