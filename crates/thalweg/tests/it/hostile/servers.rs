//! Servers that make useless work for a client: it tells them what was too much, fails the calls with the same words, and
//! goes elsewhere.

use std::time::Duration;

use thalweg_testkit::{
    peer::Peer,
    wire::frame::{END_HEADERS, END_STREAM, Kind},
};
use tokio::io::AsyncWriteExt;
use tonic::Code;

use super::{
    CALM,
    bytes::{block, data, frame, headers, ping, reset, settings, settings_ack, streams, window_update},
    expect_goodbye,
};
use crate::support::{
    call,
    fleet::ONE,
    named, pass,
    script::{HEAD, Outcome, Script, answer},
    settle, told,
};

/// A storm over a call on a channel of its own. What the client says about it.
async fn weather(name: &str, storm: &[u8]) -> String {
    let mut script = Script::new();
    let (outcome, mut peer, head) = script.call().await;
    peer.expect_message(head.stream).await;
    peer.storm(storm).await;
    let (code, text) = expect_goodbye(&mut peer).await;
    assert_eq!(code, CALM, "{name}");
    let message = format!("{ONE}: protocol error: {text}");
    let status = outcome.await.unwrap().unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, &*message), "{name}");
    expect_new_connection(&mut script).await;
    text
}

/// The next call gets a new connection.
async fn expect_new_connection(script: &mut Script) {
    let next = call(&script.channel, named("bob"));
    let mut peer = script.accept().await;
    let stream = peer.expect_headers().await.stream;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello bob");
}

#[tokio::test(start_paused = true)]
async fn frames_that_bring_nothing_are_too_many_at_some_point() {
    let idle = "more than 10000 PING, PRIORITY, unknown or empty frames";
    let interim = headers(1, 0, &[(":status", "103")]);
    let storms = [
        ("PING", ping().repeat(10_100), idle),
        ("PRIORITY", frame(Kind::Priority, 0, 1, &[0; 5]).repeat(10_100), idle),
        ("an unknown kind", frame(Kind::Unknown(0xbe), 0, 0, &[]).repeat(10_100), idle),
        ("acknowledgements", settings_ack().repeat(10_100), idle),
        ("interim responses", interim.repeat(10_100), idle),
        ("empty DATA", [headers(1, 0, HEAD), data(1, 0, &[]).repeat(10_100)].concat(), idle),
        (
            "DATA of a few bytes",
            [headers(1, 0, HEAD), data(1, 0, &[0, 0, 1, 0, 0]), data(1, 0, b"x").repeat(10_100)].concat(),
            "more than 10000 DATA frames of a few bytes that end no message",
        ),
        ("SETTINGS", settings(&[]).repeat(150), "more than 100 SETTINGS frames"),
        ("WINDOW_UPDATE", window_update(0, 1).repeat(10_100), "more than 10000 WINDOW_UPDATE frames"),
        (
            "CONTINUATION",
            [frame(Kind::Headers, 0, 1, &[0x88]), frame(Kind::Continuation, 0, 1, &[]).repeat(70)].concat(),
            "more than 64 CONTINUATION frames of one header block",
        ),
        (
            "a header block without end",
            [frame(Kind::Headers, 0, 1, &[0x88]), frame(Kind::Continuation, 0, 1, &[0; 16_384]).repeat(17)].concat(),
            "HEADERS on stream 1: fields of more than 262144 bytes",
        ),
    ];
    for (name, storm, text) in storms {
        assert_eq!(weather(name, &storm).await, text, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_block_that_stands_for_large_headers_is_measured_as_what_it_says() {
    let entry = [&[0x88, 0x40, 1, b'a', 0x7f, 0xbd, 0x1d][..], &[b'v'; 3900]].concat();
    let bomb = |times: usize| block(1, 0, &[entry.clone(), vec![0xbe; times]].concat());
    let text = "HEADERS on stream 1: fields of more than 262144 bytes";
    assert_eq!(weather("a bomb", &bomb(100)).await, text);

    // Less of it ends its call alone.
    let mut script = Script::new();
    let (outcome, mut peer, _) = script.call().await;
    peer.storm(&bomb(40)).await;
    let status = outcome.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status:?}");
    let next = call(&script.channel, named("bob"));
    let stream = peer.expect_headers_on(3).await.stream;
    answer(&mut peer, stream, "hello bob").await;
    assert_eq!(next.await.unwrap().unwrap().message, "hello bob");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_resets_every_call_is_left_at_some_point() {
    const MANY: u32 = 10_100;
    let mut script = Script::new();
    let calls: Vec<Outcome> = (0..MANY).map(|_| call(&script.channel, named("ann"))).collect();
    let mut peer = script.accept().await;
    for _ in 0..MANY {
        peer.expect_headers().await;
    }
    peer.storm(&streams(MANY).flat_map(|id| reset(id, 2)).collect::<Vec<_>>()).await;
    assert_eq!(expect_goodbye(&mut peer).await, (CALM, "more than 10000 streams reset".to_owned()));
    let mut texts = std::collections::BTreeMap::<_, usize>::new();
    for outcome in calls {
        let status = outcome.await.unwrap().unwrap_err();
        *texts.entry(status.message().to_owned()).or_default() += 1;
    }
    let reset = format!("{ONE}: stream reset with INTERNAL_ERROR");
    let calm = format!("{ONE}: protocol error: more than 10000 streams reset");
    assert_eq!(texts, [(reset, 10_001), (calm, MANY as usize - 10_001)].into());
    expect_new_connection(&mut script).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_breaks_rules_on_every_call_is_left_at_some_point() {
    const MANY: u32 = 1100;
    let mut script = Script::new();
    let calls: Vec<Outcome> = (0..MANY).map(|_| call(&script.channel, named("ann"))).collect();
    let mut peer = script.accept().await;
    for _ in 0..MANY {
        peer.expect_headers().await;
    }
    peer.storm(&streams(MANY).flat_map(|id| data(id, 0, b"x")).collect::<Vec<_>>()).await;
    assert_eq!(expect_goodbye(&mut peer).await, (CALM, "more than 1000 errors of streams".to_owned()));
    for outcome in calls {
        outcome.await.unwrap().unwrap_err();
    }
    expect_new_connection(&mut script).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_whose_first_words_are_wrong_is_no_backend() {
    let big = [&[0, 0x40, 1, 4, 0, 0, 0, 0, 0][..], &[0; 100]].concat();
    for (said, text) in [
        (headers(1, END_STREAM, HEAD), "the first frame is HEADERS on stream 1 instead of SETTINGS"),
        (ping(), "the first frame is PING instead of SETTINGS"),
        (
            frame(Kind::Continuation, END_HEADERS, 1, &[]),
            "the first frame is CONTINUATION on stream 1 instead of SETTINGS",
        ),
        (settings(&[(2, 1)]), "SETTINGS: a server cannot enable push"),
        (big, "SETTINGS has 16385 bytes of payload, above 16384"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "the server does not speak HTTP/2: it sent \"HTTP/1.1 400 Bad Request\"",
        ),
    ] {
        let mut script = Script::new();
        let outcome = call(&script.channel, named("ann"));
        let mut peer = Peer::new(script.listener.accept().await.io);
        peer.expect_preface().await;
        peer.storm(&said).await;
        let (_, told) = expect_goodbye(&mut peer).await;
        assert_eq!(told, text);
        let status = outcome.await.unwrap().unwrap_err();
        assert_eq!(status.code(), Code::Unavailable);
        let expected = format!("{ONE} HTTP/2 handshake over plaintext: protocol error: {text}");
        assert!(status.message().contains(&expected), "{status:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_half_of_its_settings_is_given_up() {
    for said in [vec![], settings(&[(3, 1)])[..11].to_vec(), settings_ack()] {
        let mut script = Script::new();
        let outcome = call(&script.channel, named("ann"));
        let mut io = script.listener.accept().await.io;
        io.write_all(&said).await.unwrap();
        let status = outcome.await.unwrap().unwrap_err();
        let (code, text, _) = told(&status);
        assert_eq!(code, Code::Unavailable);
        assert!(text.contains("waiting for the server's HTTP/2 settings"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_reads_holds_up_a_client_and_nothing_else() {
    let mut script = Script::new();
    let calls: Vec<Outcome> = (0..3).map(|_| call(&script.channel, named(&"x".repeat(4 << 20)))).collect();
    let mut peer = script.accept_with(&[(4, (1 << 31) - 1)]).await;
    peer.send_window_update(0, (1 << 31) - 65_536).await;
    settle().await;
    let [connection] = script.channel.connection_stats()[..] else { panic!("one connection") };
    // What finds room in the pipe, the buffer behind it, and the next one.
    assert!(connection.counters.bytes_sent < 1 << 20, "{connection:?}");
    calls.iter().for_each(tokio::task::JoinHandle::abort);
    pass(Duration::from_secs(1)).await;
    assert_eq!(script.channel.connection_stats()[0].calls, 0);
}
