//! What servers do wrong. Streams 1 and 3 are open.

use thalweg_http2::{
    config::{Config, Role},
    error::Code,
    exchange::{Cut, News},
    frame::{flags, kind},
};

use super::{Case, Played, connection, nothing, play, stream, unheard};
use crate::bytes_of::{
    block, data, frame, go_away, head_alone, headers, ping, request, reset, response, settings, settings_ack, trailers,
    window_update,
};

fn config() -> Config {
    Config { stream_window: 70_000, connection_window: 100_000, ..Config::default() }
}

/// Plays cases after a good beginning.
fn play_all(cases: Vec<Case>) {
    let begun = |case: Case| Case { sent: [settings(&[]), case.sent].concat(), ..case };
    play(Role::Client, &config(), &[1, 3], cases.into_iter().map(begun).collect());
}

#[test]
fn a_server_begins_with_settings() {
    use Code as C;
    play(
        Role::Client,
        &config(),
        &[1],
        vec![
            connection(
                "HTTP/1.1",
                &[b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n".to_vec()],
                C::PROTOCOL_ERROR,
                "the server does not speak HTTP/2: it sent \"HTTP/1.1 400 Bad Request\"",
            ),
            connection(
                "a response",
                &[response(1, true)],
                C::PROTOCOL_ERROR,
                "the first frame is HEADERS on stream 1 instead of SETTINGS",
            ),
            connection("push", &[settings(&[(2, 1)])], C::PROTOCOL_ERROR, "SETTINGS: a server cannot enable push"),
            nothing("no push", &[settings(&[(2, 0)]), settings_ack()]),
        ],
    );
}

#[test]
fn a_server_opens_no_streams() {
    use Code as C;
    play_all(vec![
        connection("an even stream", &[response(2, true)], C::PROTOCOL_ERROR, "HEADERS on stream 2, which is idle"),
        connection(
            "a stream that is idle",
            &[response(5, true)],
            C::PROTOCOL_ERROR,
            "HEADERS on stream 5, which is idle",
        ),
        connection(
            "DATA on an idle stream",
            &[data(5, true, b"x")],
            C::PROTOCOL_ERROR,
            "DATA on stream 5, which is idle",
        ),
        connection(
            "RST_STREAM on an idle stream",
            &[reset(5, 0)],
            C::PROTOCOL_ERROR,
            "RST_STREAM on stream 5, which is idle",
        ),
        connection(
            "WINDOW_UPDATE on an idle stream",
            &[window_update(5, 1)],
            C::PROTOCOL_ERROR,
            "WINDOW_UPDATE on stream 5, which is idle",
        ),
        connection(
            "PUSH_PROMISE",
            &[frame(kind::PUSH_PROMISE, flags::END_HEADERS, 1, &[0, 0, 0, 2])],
            C::PROTOCOL_ERROR,
            "PUSH_PROMISE on stream 1: servers take no pushes, and clients have turned them off",
        ),
    ]);
}

#[test]
fn a_response_has_a_head_a_body_and_trailers() {
    use Code as C;
    let wrong = |rule: &str| format!("HEADERS on stream 1: {rule}");
    let status = |end, status| headers(1, end, &block(&[(":status", status)]));
    let with_length = |end, length| headers(1, end, &block(&[(":status", "200"), ("content-length", length)]));
    play_all(vec![
        stream(
            "DATA before the head",
            &[data(1, false, b"x")],
            1,
            C::PROTOCOL_ERROR,
            "DATA on stream 1: it comes before the head of the response",
        ),
        stream("no :status", &[trailers(1)], 1, C::PROTOCOL_ERROR, &wrong("malformed response: no :status")),
        stream(
            "a request",
            &[request(1, true)],
            1,
            C::PROTOCOL_ERROR,
            &wrong("malformed response: :method has no place here"),
        ),
        stream(
            "a status that is no number",
            &[status(true, "ok")],
            1,
            C::PROTOCOL_ERROR,
            &wrong("malformed response: :status is no number of three digits"),
        ),
        stream(
            "100 that ends",
            &[status(true, "100")],
            1,
            C::PROTOCOL_ERROR,
            &wrong("an interim response 100 that ends the stream"),
        ),
        stream(
            "101",
            &[status(false, "101")],
            1,
            C::PROTOCOL_ERROR,
            &wrong("an interim response 101 that HTTP/2 does not have"),
        ),
        nothing(
            "100, 103 and a response",
            &[status(false, "100"), status(false, "103"), response(1, false), trailers(1)],
        ),
        stream(
            "two heads",
            &[response(1, false), response(1, false)],
            1,
            C::PROTOCOL_ERROR,
            &wrong("trailers that don't end the stream"),
        ),
        stream(
            "a body that is missing",
            &[with_length(true, "5")],
            1,
            C::PROTOCOL_ERROR,
            &wrong("the body is shorter than its content-length"),
        ),
        stream(
            "a body that is too short",
            &[with_length(false, "5"), data(1, false, b"1234"), trailers(1)],
            1,
            C::PROTOCOL_ERROR,
            &wrong("the body is shorter than its content-length"),
        ),
        nothing("304 with a length", &[headers(1, true, &block(&[(":status", "304"), ("content-length", "5")]))]),
        nothing("trailers-only", &[response(1, true)]),
        unheard("DATA after the end", &[response(1, true), data(1, false, b"x")], 1, C::STREAM_CLOSED),
        unheard("HEADERS after the end", &[response(1, true), trailers(1)], 1, C::STREAM_CLOSED),
        nothing("RST_STREAM after the end", &[response(1, true), reset(1, 0)]),
        nothing("WINDOW_UPDATE after the end", &[response(1, true), window_update(1, 9)]),
    ]);
}

#[test]
fn a_server_keeps_windows_and_sizes() {
    use Code as C;
    let full = |stream| data(stream, false, &[0; 16_384]);
    play_all(vec![
        stream(
            "more than the stream's window",
            &[response(1, false), full(1).repeat(5)],
            1,
            C::FLOW_CONTROL_ERROR,
            "DATA on stream 1: 16384 bytes where its window allows 4464",
        ),
        connection(
            "more than the connection's window",
            &[response(1, false), response(3, false), [full(1), full(3)].concat().repeat(4)],
            C::FLOW_CONTROL_ERROR,
            "DATA on stream 1: 16384 bytes where the connection's window allows 1696",
        ),
        connection(
            "a frame that is too large",
            &[head_alone(kind::HEADERS, 16_385, 1)],
            C::FRAME_SIZE_ERROR,
            "HEADERS on stream 1 has 16385 bytes of payload, above 16384",
        ),
        connection(
            "CONTINUATION alone",
            &[frame(kind::CONTINUATION, flags::END_HEADERS, 1, &[])],
            C::PROTOCOL_ERROR,
            "CONTINUATION on stream 1 without a header block to continue",
        ),
        connection(
            "PING within a block",
            &[frame(kind::HEADERS, 0, 1, &[]), ping()],
            C::PROTOCOL_ERROR,
            "PING within the header block of stream 1",
        ),
        connection(
            "GOAWAY that takes back what it said",
            &[go_away(1, 0, ""), go_away(3, 0, "")],
            C::PROTOCOL_ERROR,
            "GOAWAY: the last stream is 3, after 1 was said",
        ),
    ]);
}

#[test]
fn what_comes_late_for_a_stream_that_we_reset_is_no_offence() {
    let mut played = Played::new(Role::Client, &config(), &[1, 3]);
    played.send(&[settings(&[]), response(1, false)].concat());
    played.learn(News { closed: vec![1, 3], ..News::default() });
    let late = [data(1, false, b"abc"), trailers(1), response(3, false), data(3, true, b"x"), reset(1, 0)];
    let before = played.record.events.len();
    played.send(&late.concat());
    assert_eq!(played.outcome, Ok(()));
    assert_eq!(played.record.events.len(), before);
    assert_eq!((played.receiver.effects().resets.len(), played.receiver.effects().received), (0, 4));
}

#[test]
fn go_away_cuts_the_streams_that_were_not_processed_and_those_opened_too_late() {
    let mut played = Played::new(Role::Client, &config(), &[1, 3]);
    played.send(&[settings(&[]), go_away(1, 11, "too_many_pings")].concat());
    played.learn(News { opened: vec![(5, 5)], ..News::default() });
    let cuts = played.record.cuts();
    assert_eq!(cuts.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [3, 5]);
    let Cut::GoAway(go_away) = &cuts[0].1 else { panic!("it is no GOAWAY") };
    assert_eq!((go_away.code, go_away.debug.as_str()), (Code::ENHANCE_YOUR_CALM, "too_many_pings"));
    assert_eq!(played.receiver.effects().go_away.as_ref(), Some(go_away));
    played.send(&[response(3, true), response(1, true)].concat());
    assert_eq!((played.outcome, played.receiver.streams().count()), (Ok(()), 0));
}
