//! Clients that make useless work for a server: each is let go on for a while, then told what was too much and cut off.

use std::time::Duration;

use thalweg::{
    server::ServerBuilder,
    transport::{
        counters::Rule,
        keepalive::KeepaliveEnforcement,
        options::{Http2Options, Limits},
    },
};
use thalweg_testkit::wire::frame::{END_HEADERS, END_STREAM, Kind, PADDED, PRIORITY};
use tonic::Code;

use super::{
    CALM, answer_to, attacked,
    bytes::{
        block, data, frame, head_alone, ping, request, request_block, reset, settings, settings_ack, streams,
        whole_request, window_update,
    },
    connect, expect_goodbye, greet,
};
use crate::server::fixture::{Event, SAY_HELLO, hello, settle};

/// A server that lets clients ping as they like.
fn lax(server: ServerBuilder) -> ServerBuilder {
    server.keepalive_enforcement(KeepaliveEnforcement { min_time: Duration::ZERO, permit_without_calls: true })
}

/// Sends a storm to a server of its own. What the server says about it.
async fn weather(storm: &[u8]) -> String {
    let (world, mut client) = attacked(lax).await;
    client.storm(storm).await;
    let (code, text) = expect_goodbye(&mut client).await;
    assert_eq!(code, CALM);
    assert_eq!(world.connect().await.call(SAY_HELLO, hello("bob")).await.code(), Code::Ok, "others are served");
    text
}

/// The same piece of a storm on many streams, one after the other.
fn on_streams(count: u32, piece: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    streams(count).flat_map(piece).collect()
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_reset_as_soon_as_opened_are_too_many_at_some_point() {
    let storm = on_streams(1100, |id| [request(id), reset(id, 8)].concat());
    assert_eq!(weather(&storm).await, "more than 1000 streams reset as soon as opened");
}

#[tokio::test(start_paused = true)]
async fn no_handler_hears_of_streams_that_are_reset_as_soon_as_opened() {
    let (mut world, mut client) = attacked(lax).await;
    let opened = |id| [request(id), data(id, END_STREAM, &hello("hang")), reset(id, 8)].concat();
    client.storm(&on_streams(900, opened)).await;
    client.storm(&[request(1801), data(1801, END_STREAM, &hello("ann"))].concat()).await;
    assert_eq!(answer_to(&mut client, 1801).await, "0");
    // A read may end between a request and its reset.
    let started = world.events_so_far();
    assert!(started < 100, "{started}");
    let [connection] = world.handle.connection_stats()[..] else { panic!("one connection") };
    assert_eq!((connection.counters.resets_received, connection.counters.streams_started), (900, 901));
    assert_eq!((connection.counters.streams_failed, connection.calls), (900, 0));
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_reset_while_they_are_served_are_too_many_at_some_point() {
    const WAVE: u32 = 1000;
    let (world, mut client) = attacked(lax).await;
    for wave in 0..11 {
        let ids = || streams(WAVE * (wave + 1)).skip((WAVE * wave) as usize);
        client.storm(&ids().flat_map(request).collect::<Vec<_>>()).await;
        settle().await;
        client.storm(&ids().flat_map(|id| reset(id, 8)).collect::<Vec<_>>()).await;
        settle().await;
    }
    assert_eq!(expect_goodbye(&mut client).await, (CALM, "more than 10000 streams reset".to_owned()));
    settle().await;
    assert_eq!(world.handle.connection_totals().violations.of(Rule::Resets), 1);
}

#[tokio::test(start_paused = true)]
async fn streams_that_the_server_is_made_to_reset_are_too_many_at_some_point() {
    let depends_on_itself = |id: u32| [&id.to_be_bytes()[..], &[16], &request_block()].concat();
    let hanging = |id| [request(id), data(id, END_STREAM, &hello("hang"))].concat();
    let storms = [
        ("an empty WINDOW_UPDATE", on_streams(1100, |id| [request(id), window_update(id, 0)].concat())),
        (
            "a window that is too large",
            // More than one read: the sender finds it out, and tells before the next.
            on_streams(2500, |id| [request(id), window_update(id, u32::MAX >> 1)].concat()),
        ),
        ("DATA after the end", on_streams(1100, |id| [hanging(id), data(id, 0, b"x")].concat())),
        ("HEADERS after the end", on_streams(1100, |id| [hanging(id), whole_request(id)].concat())),
        ("PRIORITY of four bytes", {
            on_streams(1100, |id| [request(id), frame(Kind::Priority, 0, id, &[0; 4])].concat())
        }),
        ("a stream that depends on itself", on_streams(1100, |id| block(id, PRIORITY, &depends_on_itself(id)))),
        ("a request without a path", on_streams(1100, |id| block(id, 0, &[0x83, 0x86]))),
        ("more streams at a time than allowed", on_streams(2100, request)),
    ];
    for (name, storm) in storms {
        assert_eq!(weather(&storm).await, "more than 1000 errors of streams", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_bring_nothing_are_too_many_at_some_point() {
    let idle = "more than 10000 PING, PRIORITY, unknown or empty frames";
    let storms = [
        ("PING", ping().repeat(10_100), idle),
        ("PRIORITY", frame(Kind::Priority, 0, 1, &[0; 5]).repeat(10_100), idle),
        ("an unknown kind", frame(Kind::Unknown(0xbe), 0, 0, &[]).repeat(10_100), idle),
        ("acknowledgements", settings_ack().repeat(10_100), idle),
        ("empty DATA", [request(1), data(1, 0, &[]).repeat(10_100)].concat(), idle),
        ("DATA of nothing but padding", [request(1), data(1, PADDED, &[3, 0, 0, 0]).repeat(10_100)].concat(), idle),
        (
            "DATA of a few bytes",
            [request(1), data(1, 0, &[0, 0, 1, 0, 0]), data(1, 0, b"x").repeat(10_100)].concat(),
            "more than 10000 DATA frames of a few bytes that end no message",
        ),
        ("SETTINGS", settings(&[]).repeat(150), "more than 100 SETTINGS frames"),
        ("SETTINGS that change the table", settings(&[(1, 0), (1, 4096)]).repeat(150), "more than 100 SETTINGS frames"),
        ("WINDOW_UPDATE", window_update(0, 1).repeat(10_100), "more than 10000 WINDOW_UPDATE frames"),
        (
            "WINDOW_UPDATE of a stream",
            [request(1), window_update(1, 1).repeat(10_100)].concat(),
            "more than 10000 WINDOW_UPDATE frames",
        ),
    ];
    for (name, storm, text) in storms {
        assert_eq!(weather(&storm).await, text, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn limits_are_as_the_server_sets_them() {
    let few = Limits { early_resets: 3, idle_frames: 4, tiny_data: 5, ..Limits::default() };
    let strict = |server| lax(server).http2(Http2Options { limits: few, ..Http2Options::default() });
    let storms = [
        (on_streams(4, |id| [request(id), reset(id, 8)].concat()), "more than 3 streams reset as soon as opened"),
        (ping().repeat(5), "more than 4 PING, PRIORITY, unknown or empty frames"),
        (
            [request(1), data(1, 0, &[0, 0, 1, 0, 0]), data(1, 0, b"x").repeat(5)].concat(),
            "more than 5 DATA frames of a few bytes that end no message",
        ),
    ];
    for (storm, text) in storms {
        let (_world, mut client) = attacked(strict).await;
        client.storm(&storm).await;
        assert_eq!(expect_goodbye(&mut client).await, (CALM, text.to_owned()));
    }
    let many = Limits { settings: 1000, ..Limits::default() };
    let generous = |server| lax(server).http2(Http2Options { limits: many, ..Http2Options::default() });
    let (_world, mut client) = attacked(generous).await;
    client.storm(&settings(&[]).repeat(900)).await;
    assert_eq!(greet(&mut client).await, "0");
}

#[tokio::test(start_paused = true)]
async fn header_blocks_without_end_are_cut_off() {
    let begun = frame(Kind::Headers, 0, 1, &request_block());
    let more = |bytes: usize, times| frame(Kind::Continuation, 0, 1, &vec![0; bytes]).repeat(times);
    let storms = [
        ([begun.clone(), more(0, 70)].concat(), "more than 64 CONTINUATION frames of one header block"),
        ([begun.clone(), more(16_384, 17)].concat(), "HEADERS on stream 1: fields of more than 262144 bytes"),
    ];
    for (storm, text) in storms {
        assert_eq!(weather(&storm).await, text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_small_block_that_stands_for_large_headers_is_measured_as_what_it_says() {
    // A field of 3,900 bytes that goes into the table, and an index that repeats it in one byte.
    let entry = [&[0x40, 1, b'a', 0x7f, 0xbd, 0x1d][..], &[b'v'; 3900]].concat();
    let bomb = |times: usize| [request_block(), entry.clone(), vec![0xbe; times]].concat();
    let (_world, mut client) = attacked(lax).await;
    client.storm(&block(1, END_STREAM, &bomb(100))).await;
    let text = "HEADERS on stream 1: fields of more than 262144 bytes".to_owned();
    assert_eq!(expect_goodbye(&mut client).await, (CALM, text));
}

#[tokio::test(start_paused = true)]
async fn a_request_with_more_fields_than_are_taken_is_refused_and_no_other() {
    let (mut world, mut client) = attacked(lax).await;
    let fields: Vec<(&str, &str)> = vec![("a", "b"); 3000];
    let stream = client.send_request(SAY_HELLO, &fields).await;
    let head = client.expect_headers_on(stream).await;
    assert_eq!((head.headers.get("grpc-status"), head.end), (Some("8"), true));
    assert_eq!(greet(&mut client).await, "0");
    assert_eq!(world.events_so_far(), 2, "only the second reached its handler");
}

#[tokio::test(start_paused = true)]
async fn a_frame_larger_than_announced_is_not_waited_for() {
    let (_world, mut client) = attacked(lax).await;
    client.storm(&head_alone(Kind::Headers, 16_385, 1)).await;
    let text = "HEADERS on stream 1 has 16385 bytes of payload, above 16384".to_owned();
    assert_eq!(expect_goodbye(&mut client).await, (6, text));
}

#[tokio::test(start_paused = true)]
async fn a_storm_that_begins_within_a_call_ends_the_call() {
    let (mut world, mut client) = attacked(lax).await;
    client.storm(&[request(1), data(1, END_STREAM, &hello("hang"))].concat()).await;
    assert!(matches!(world.event().await, Event::Started));
    client.storm(&frame(Kind::Headers, END_HEADERS, 3, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])).await;
    let (code, _) = expect_goodbye(&mut client).await;
    assert_eq!(code, 9);
    assert!(matches!(world.event().await, Event::Dropped));
    let mut next = connect(&world).await;
    assert_eq!(greet(&mut next).await, "0");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_pings_without_a_pause_is_cut_off_before_it_is_a_storm() {
    let (_world, mut client) = attacked(|server| server).await;
    client.storm(&ping().repeat(100)).await;
    assert_eq!(expect_goodbye(&mut client).await, (CALM, "too_many_pings".to_owned()));
}
