//! A connection is replaced before its stream ids run out.

use thalweg::transport::options::Http2Options;

use super::{ask, read_request};
use crate::support::{
    call,
    fleet::{Fleet, ONE},
    hello, named,
    script::{END, HEAD, Script, answer, reply},
    settle,
};

/// Three calls are all that a connection is for.
fn three() -> Http2Options {
    Http2Options { max_calls: 3, ..Http2Options::default() }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_has_had_its_calls_is_replaced_and_those_on_it_go_on() {
    let mut script = Script::with(|builder| builder.http2(three()));
    let long = ask(&script);
    let mut old = script.accept().await;
    let stream = read_request(&mut old).await;
    old.send_headers(stream, HEAD).await;
    let mut replies = long.await.unwrap().unwrap();
    for _ in 0..2 {
        let call = call(&script.channel, named("ann"));
        let stream = read_request(&mut old).await;
        answer(&mut old, stream, "hello ann").await;
        assert_eq!(call.await.unwrap().unwrap().message, "hello ann");
    }
    settle().await;
    let call = call(&script.channel, named("bob"));
    let mut new = script.accept().await;
    let other = read_request(&mut new).await;
    assert_eq!(other, 1);
    answer(&mut new, other, "hello bob").await;
    assert_eq!(call.await.unwrap().unwrap().message, "hello bob");

    old.send_message(stream, &reply("still here")).await;
    assert_eq!(replies.message().await.unwrap().unwrap().message, "still here");
    old.send_trailers(stream, END).await;
    assert_eq!(replies.message().await.unwrap(), None);
    assert_eq!(old.expect_go_away().await.code, 0);
    old.expect_close().await;
}

#[tokio::test(start_paused = true)]
async fn calls_without_end_need_connections_without_end_and_none_fails() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let channel = fleet.builder(&format!("ipv4:{ONE}")).http2(three()).build().unwrap();
    for n in 0..100 {
        assert_eq!(hello(&channel, &n.to_string()).await.unwrap().message, format!("hello {n}"));
    }
    assert!((33..=50).contains(&one.host.attempts()), "{}", one.host.attempts());
    let all: Vec<_> = (0..100).map(|_| call(&channel, named("ann"))).collect();
    for call in all {
        assert_eq!(call.await.unwrap().unwrap().message, "hello ann");
    }
}

#[test]
fn a_connection_is_for_no_more_calls_than_it_has_ids() {
    for (max_calls, is_good) in [(0, false), (1, true), ((1 << 30) - (1 << 19), true), (1 << 30, false)] {
        let options = Http2Options { max_calls, ..Http2Options::default() };
        assert_eq!(options.validate().is_ok(), is_good, "{max_calls}");
    }
}
