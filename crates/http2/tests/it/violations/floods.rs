//! Peers that keep every rule and make useless work: each is let go on for a while, then asked to calm down.

use thalweg_http2::{
    config::{Config, Limits, Role},
    error::{Code, Rule, Violation},
    exchange::News,
    frame::kind,
};

use super::{Answer, Played};
use crate::bytes_of::{
    block, client_preface, data, frame, headers, ping, request, request_with, reset, response, settings, settings_ack,
    window_update,
};

/// A message without a byte: its prefix.
const MESSAGE: [u8; 5] = [0; 5];

fn config() -> Config {
    let limits = Limits {
        early_resets: 5,
        resets: 5,
        stream_errors: 5,
        continuations: 5,
        settings: 5,
        idle_frames: 5,
        tiny_data: 5,
        window_updates: 50,
        ..Limits::default()
    };
    Config { limits, max_header_list_size: 1000, max_concurrent_streams: 2, ..Config::default() }
}

/// A server whose client has begun well.
fn server() -> Played {
    let mut played = Played::new(Role::Server, &config(), &[]);
    played.send(&client_preface());
    played
}

/// HEADERS that begin a call of gRPC.
fn call() -> Vec<u8> {
    headers(1, false, &request_with(&[("content-type", "application/grpc")]))
}

/// How many of these the server takes until it is too much, and what it says then.
fn taken(played: &mut Played, flood: impl Iterator<Item = Vec<u8>>) -> (usize, String) {
    let mut flood = flood.take(1000);
    let taken = flood
        .by_ref()
        .take_while(|sent| {
            played.send(sent);
            played.outcome.is_ok()
        })
        .count();
    match &played.outcome {
        Err(Violation { code: Code::ENHANCE_YOUR_CALM, text, .. }) => (taken, text.to_string()),
        other => panic!("{other:?} after {taken}"),
    }
}

fn streams() -> impl Iterator<Item = u32> {
    (1..).step_by(2)
}

#[test]
fn streams_reset_as_soon_as_opened_run_out_of_allowance() {
    let flood = streams().map(|id| [request(id, false), reset(id, 8)].concat());
    assert_eq!(taken(&mut server(), flood), (5, "more than 5 streams reset as soon as opened".to_owned()));
}

#[test]
fn streams_reset_later_run_out_of_another_allowance() {
    let mut played = server();
    for id in streams().take(5) {
        played.send(&request(id, true));
        played.learn(News::default());
        played.send(&reset(id, 8));
        assert_eq!(played.outcome, Ok(()));
    }
    played.send(&request(11, true));
    played.learn(News::default());
    played.send(&reset(11, 8));
    assert_eq!(played.outcome.unwrap_err().text, "more than 5 streams reset");
}

#[test]
fn a_stream_that_ends_well_makes_up_for_a_reset() {
    let mut played = server();
    for id in (1..400).step_by(4) {
        played.send(&[request(id, false), reset(id, 8), request(id + 2, true)].concat());
        played.learn(News { closed: vec![id + 2], ..News::default() });
    }
    assert_eq!(played.outcome, Ok(()));
}

#[test]
fn resets_that_the_peer_provokes_run_out_of_allowance() {
    let flood = streams().map(|id| [request(id, false), window_update(id, 0)].concat());
    assert_eq!(taken(&mut server(), flood), (5, "more than 5 errors of streams".to_owned()));
    let malformed = streams().map(|id| headers(id, false, &block(&[(":path", "/")])));
    assert_eq!(taken(&mut server(), malformed), (5, "more than 5 errors of streams".to_owned()));
}

#[test]
fn frames_for_streams_that_are_over_run_out_of_allowance() {
    let flood = streams().map(|id| [request(id, false), reset(id, 8), data(id, false, b"x")].concat());
    let Limits { stream_errors, .. } = config().limits;
    let limits = Limits { early_resets: 1000, stream_errors, ..Limits::default() };
    let mut played = Played::new(Role::Server, &Config { limits, ..config() }, &[]);
    played.send(&client_preface());
    assert_eq!(taken(&mut played, flood), (5, "more than 5 errors of streams".to_owned()));
}

#[test]
fn streams_above_the_limit_are_refused_and_cost_little_until_the_limit_is_known() {
    let limits = Limits { idle_frames: 100, ..config().limits };
    let mut played = Played::new(Role::Server, &Config { limits, ..config() }, &[]);
    played.send(&client_preface());
    (1..=41).step_by(2).for_each(|id| played.send(&request(id, true)));
    assert_eq!(played.answer(), Answer::Unheard(5, Code::REFUSED_STREAM));
    assert_eq!((played.receiver.effects().resets.len(), played.receiver.streams().count()), (19, 2));
    played.send(&settings_ack());
    let flood = (43..).step_by(2).map(|id| request(id, true));
    assert_eq!(taken(&mut played, flood), (5, "more than 5 errors of streams".to_owned()));
}

#[test]
fn a_client_that_never_acknowledges_the_limit_is_not_refused_for_ever() {
    let mut played = server();
    let flood = streams().map(|id| request(id, true));
    let (count, text) = taken(&mut played, flood);
    assert!(count < 20 && text.starts_with("more than 5 PING"), "{count}: {text}");
}

#[test]
fn continuations_and_large_lists_are_bounded() {
    let opening = || frame(kind::HEADERS, 0, 1, &request_with(&[]));
    let mut played = server();
    played.send(&opening());
    let flood = std::iter::repeat_with(|| frame(kind::CONTINUATION, 0, 1, &[]));
    assert_eq!(taken(&mut played, flood), (5, "more than 5 CONTINUATION frames of one header block".to_owned()));

    let mut played = server();
    played.send(&opening());
    let flood = std::iter::repeat_with(|| frame(kind::CONTINUATION, 0, 1, &[0; 1500]));
    let text = "HEADERS on stream 1: fields of more than 4000 bytes".to_owned();
    assert_eq!(taken(&mut played, flood), (2, text));
}

#[test]
fn a_header_list_that_one_byte_repeats_is_measured_as_what_it_says() {
    let value = "v".repeat(120);
    let entry = [&[0x40, 1, b'a', 120][..], value.as_bytes()].concat();
    let bomb = [request_with(&[]), entry, vec![0xbe; 60]].concat();
    let mut played = server();
    played.send(&headers(1, true, &bomb));
    assert_eq!(played.outcome.unwrap_err().text, "HEADERS on stream 1: fields of more than 4000 bytes");
}

#[test]
fn frames_that_bring_nothing_run_out_of_allowance() {
    let text = || "more than 5 PING, PRIORITY, unknown or empty frames".to_owned();
    let floods = [ping(), frame(kind::PRIORITY, 0, 1, &[0; 5]), frame(0xbe, 0, 0, &[]), settings_ack()];
    for flood in floods {
        assert_eq!(taken(&mut server(), std::iter::repeat(flood)), (5, text()));
    }
    let mut played = server();
    played.send(&request(1, false));
    assert_eq!(taken(&mut played, std::iter::repeat(data(1, false, b""))), (5, text()));
    let flood = std::iter::repeat(settings(&[]));
    assert_eq!(taken(&mut server(), flood), (4, "more than 5 SETTINGS frames".to_owned()));
    let flood = std::iter::repeat(window_update(0, 1));
    assert_eq!(taken(&mut server(), flood), (50, "more than 50 WINDOW_UPDATE frames".to_owned()));
}

#[test]
fn pings_between_small_messages_are_honest() {
    let mut played = server();
    played.send(&call());
    (0..1000).for_each(|_| played.send(&[ping(), data(1, false, &MESSAGE)].concat()));
    assert_eq!(played.outcome, Ok(()));
}

#[test]
fn a_few_bytes_at_a_time_that_end_no_message_run_out_of_allowance() {
    let text = || "more than 5 DATA frames of a few bytes that end no message".to_owned();
    let begun: &[u8] = &[0, 0, 1, 0, 0];
    for size in [1, 63] {
        let mut played = server();
        played.send(&[call(), data(1, false, begun)].concat());
        let flood = std::iter::repeat_with(|| data(1, false, &vec![7; size]));
        assert_eq!(taken(&mut played, flood), (4, text()), "{size}");
        assert_eq!(played.outcome.unwrap_err().rule, Rule::TinyData);
    }
    let mut played = Played::new(Role::Client, &config(), &[1]);
    played.send(&[settings(&[]), response(1, false), data(1, false, begun)].concat());
    assert_eq!(taken(&mut played, std::iter::repeat(data(1, false, b"1"))), (4, text()));
}

#[test]
fn a_few_bytes_at_a_time_do_not_make_up_for_pings() {
    let limits = Limits { tiny_data: 1000, ..config().limits };
    let mut played = Played::new(Role::Server, &Config { limits, ..config() }, &[]);
    played.send(&[client_preface(), call(), data(1, false, &[0, 0, 1, 0, 0])].concat());
    let flood = std::iter::repeat([ping(), data(1, false, b"1")].concat());
    // The request's head has earned one.
    assert_eq!(taken(&mut played, flood), (5, "more than 5 PING, PRIORITY, unknown or empty frames".to_owned()));
}

#[test]
fn a_few_bytes_at_a_time_are_honest_where_messages_end_and_where_we_give_credit_and_take_time() {
    let begun = [call(), data(1, false, &[0, 0, 1, 0, 0])].concat();
    let piece = || data(1, false, b"1");

    let mut prefixes_apart = server();
    prefixes_apart.send(&call());
    let message = [data(1, false, &[0, 0, 0, 0, 100]), data(1, false, &[7; 100])].concat();
    (0..1000).for_each(|_| prefixes_apart.send(&message));
    assert_eq!(prefixes_apart.outcome, Ok(()));

    let mut narrow_windows = server();
    narrow_windows.send(&begun);
    for _ in 0..1000 {
        narrow_windows.learn(News { credits: vec![(1, 1)], ..News::default() });
        narrow_windows.send(&piece());
    }
    assert_eq!(narrow_windows.outcome, Ok(()));

    let mut slow = server();
    slow.send(&begun);
    (1..1000).for_each(|now| slow.send_at(now, &piece()));
    assert_eq!(slow.outcome, Ok(()));

    let mut larger = server();
    larger.send(&begun);
    (0..1000).for_each(|_| larger.send(&data(1, false, &[7; 64])));
    assert_eq!(larger.outcome, Ok(()));
}

#[test]
fn a_few_bytes_on_a_stream_that_was_given_up_are_no_offence() {
    let mut played = server();
    played.send(&[call(), data(1, false, &MESSAGE)].concat());
    played.learn(News { closed: vec![1], ..News::default() });
    (0..1000).for_each(|_| played.send(&data(1, false, b"1")));
    assert_eq!(played.outcome, Ok(()));
}

#[test]
fn interim_responses_without_end_run_out_of_allowance() {
    let mut played = Played::new(Role::Client, &config(), &[1]);
    played.send(&settings(&[]));
    let interim = headers(1, false, &block(&[(":status", "103")]));
    let text = "more than 5 PING, PRIORITY, unknown or empty frames".to_owned();
    assert_eq!(taken(&mut played, std::iter::repeat(interim)), (5, text));
}

#[test]
fn header_blocks_for_a_stream_that_is_over_run_out_of_allowance() {
    let mut played = Played::new(Role::Client, &config(), &[1]);
    played.send(&settings(&[]));
    played.learn(News { closed: vec![1], ..News::default() });
    let text = "more than 5 PING, PRIORITY, unknown or empty frames".to_owned();
    // Three frames may have been under way when the stream was given up.
    assert_eq!(taken(&mut played, std::iter::repeat(response(1, false))), (3 + 5, text));
}
