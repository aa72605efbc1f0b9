//! Tests of answering streams.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Seen, Wire, body, data, headers, message};
use crate::{
    error::Code,
    frame::settings::Settings,
    send::{Gone, Progress},
};

fn ok() -> HeaderMap {
    [(HeaderName::from_static("grpc-status"), HeaderValue::from_static("0"))].into_iter().collect()
}

/// A server with a stream on which the client has said everything.
fn asked() -> Wire {
    let mut wire = Wire::server();
    wire.apply(|effects| {
        effects.accepted.push(1);
        effects.ended.push(1);
    })
    .unwrap();
    wire
}

#[test]
fn a_unary_answer_is_three_frames_and_ends_the_stream() {
    let mut wire = asked();
    let progress = wire.sender.answer(1, StatusCode::OK, &HeaderMap::new(), message(5), &ok(), &1);
    assert_eq!(progress, Ok(Progress::Sent));
    assert_eq!(wire.read(), [headers(1, 2, false), data(1, &message(5), false), headers(1, 1, true)]);
    assert_eq!((wire.sender.active(), wire.news().closed), (0, vec![1]));
    let counters = wire.sender.counters();
    assert_eq!((counters.streams_started, counters.streams_succeeded, counters.streams_failed), (1, 1, 0));
    assert_eq!((counters.messages_sent, counters.resets_sent), (1, 0));
}

#[test]
fn an_answer_before_the_client_has_ended_tells_it_to_stop() {
    let mut wire = Wire::server();
    wire.accept(&[1]);
    wire.sender.respond(1, StatusCode::OK, &ok(), true).unwrap();
    assert_eq!(wire.read(), [headers(1, 3, true), Seen::Reset(1, Code::NO_ERROR)]);
    assert_eq!((wire.sender.active(), wire.news().closed), (0, vec![1]));
    assert_eq!(wire.sender.counters().streams_succeeded, 1);
}

#[test]
fn trailers_follow_the_data_that_wait() {
    let mut wire = asked();
    wire.settings(Settings { initial_window_size: Some(4), ..Settings::default() }).unwrap();
    let progress = wire.sender.answer(1, StatusCode::OK, &HeaderMap::new(), message(5), &ok(), &1);
    assert_eq!(progress, Ok(Progress::Waiting));
    let (frames, drained) = wire.read_all();
    assert_eq!(frames[1..], [headers(1, 2, false), data(1, &message(5)[..4], false)]);
    assert!(drained.is_empty() && wire.sender.active() == 1);
    wire.windows(&[(1, 6)]).unwrap();
    assert_eq!(wire.read_all(), (vec![data(1, &message(5)[4..], false), headers(1, 1, true)], vec![1]));
    assert_eq!((wire.sender.active(), wire.news().closed), (0, vec![1]));
}

#[test]
fn trailers_without_data_end_the_stream_at_once() {
    let mut wire = asked();
    wire.settings(Settings { initial_window_size: Some(0), ..Settings::default() }).unwrap();
    wire.sender.respond(1, StatusCode::OK, &HeaderMap::new(), false).unwrap();
    wire.sender.trailers(1, &ok()).unwrap();
    assert_eq!(wire.read()[1..], [headers(1, 2, false), headers(1, 1, true)]);
}

#[test]
fn nothing_can_follow_the_end() {
    let mut wire = asked();
    wire.settings(Settings { initial_window_size: Some(0), ..Settings::default() }).unwrap();
    assert_eq!(wire.sender.data(1, message(1), true, &1), Ok(Progress::Waiting));
    assert_eq!(wire.sender.data(1, message(1), true, &1), Err(Gone));
    assert_eq!(wire.sender.trailers(1, &ok()), Err(Gone));
    assert_eq!(wire.sender.respond(1, StatusCode::OK, &ok(), false), Err(Gone));
    assert_eq!(wire.sender.answer(1, StatusCode::OK, &ok(), message(1), &ok(), &1), Err(Gone));
    assert_eq!(wire.sender.data(3, message(1), true, &3), Err(Gone), "it was never opened");
}

#[test]
fn the_end_alone_needs_no_window() {
    let mut wire = asked();
    wire.settings(Settings { initial_window_size: Some(0), ..Settings::default() }).unwrap();
    assert_eq!(wire.sender.data(1, Bytes::new(), false, &1), Ok(Progress::Sent));
    assert_eq!(wire.sender.data(1, Bytes::new(), true, &1), Ok(Progress::Sent));
    assert_eq!(wire.read()[1..], [data(1, b"", true)]);
    assert_eq!(wire.sender.active(), 0);
}

#[test]
fn the_end_alone_follows_the_data_that_wait() {
    let mut wire = asked();
    wire.settings(Settings { initial_window_size: Some(0), ..Settings::default() }).unwrap();
    assert_eq!(wire.sender.data(1, message(1), false, &1), Ok(Progress::Waiting));
    assert_eq!(wire.sender.data(1, Bytes::new(), true, &1), Ok(Progress::Waiting));
    wire.windows(&[(1, 100)]).unwrap();
    let (frames, drained) = wire.read_all();
    assert_eq!(frames[1..], [data(1, &message(1), true)]);
    assert_eq!((drained, wire.sender.active()), (vec![1], 0));
}

#[test]
fn messages_are_counted_across_chunks() {
    let mut wire = asked();
    let two: Vec<u8> = [message(300), message(2)].concat();
    for chunk in [&two[..3], &two[3..306], &two[306..]] {
        assert_eq!(wire.sender.data(1, Bytes::copy_from_slice(chunk), false, &1), Ok(Progress::Sent));
    }
    assert_eq!(wire.sender.counters().messages_sent, 2);
    assert_eq!(body(&wire.read(), 1).0, two);
}

/// A server with two streams whose client accepts lists of fields up to `limit` bytes.
fn asked_within(limit: u32) -> Wire {
    let mut wire = Wire::server();
    wire.settings(Settings { max_header_list_size: Some(limit), ..Settings::default() }).unwrap();
    wire.apply(|effects| {
        effects.accepted.extend([1, 3]);
        effects.ended.extend([1, 3]);
    })
    .unwrap();
    wire.read();
    wire
}

fn fields(list: &[(&'static str, &str)]) -> HeaderMap {
    list.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
}

/// `:status`, `content-type` and `x-long`, without the value.
const HEAD: usize = (7 + 3 + 32) + (12 + 16 + 32) + (6 + 32);

#[test]
fn a_head_that_the_client_does_not_accept_becomes_an_error() {
    let mut wire = asked_within(1000);
    let fits = fields(&[("x-long", &"x".repeat(1000 - HEAD))]);
    wire.sender.respond(1, StatusCode::OK, &fits, false).unwrap();
    assert_eq!(wire.read_fields(), [("x-long".to_owned(), "x".repeat(1000 - HEAD))]);

    let too_long = fields(&[("x-long", &"x".repeat(1001 - HEAD))]);
    assert_eq!(wire.sender.respond(3, StatusCode::OK, &too_long, false), Err(Gone));
    let text = "the headers of 1001 bytes are larger than the client accepts (1000 bytes)".to_owned();
    assert_eq!(wire.read_fields(), [("grpc-status".to_owned(), "8".to_owned()), ("grpc-message".to_owned(), text)]);
    assert_eq!((wire.sender.active(), wire.news().closed), (1, vec![3]));
}

#[test]
fn what_is_no_grpc_and_not_accepted_becomes_an_error_of_http() {
    let mut wire = asked_within(1000);
    let page = fields(&[("content-type", "text/html"), ("set-cookie", &"x".repeat(1000))]);
    assert_eq!(wire.sender.respond(1, StatusCode::NOT_FOUND, &page, false), Err(Gone));
    assert_eq!(wire.read(), [headers(1, 1, true)]);
}

#[test]
fn trailers_that_the_client_does_not_accept_make_way_for_their_status() {
    let long = "x".repeat(1000);
    let status = |code: &str, message: &str| {
        vec![("grpc-status".to_owned(), code.to_owned()), ("grpc-message".to_owned(), message.to_owned())]
    };
    let size = 11 + 1 + 32 + 6 + 1000 + 32;
    let no_success = format!("the trailers of {size} bytes are larger than the client accepts (1000 bytes)");
    let no_message = format!("the trailers of {} bytes are larger than the client accepts (1000 bytes)", size + 6);
    for (end, expected) in [
        (fields(&[("grpc-status", "0"), ("x-long", &long)]), status("8", &no_success)),
        (fields(&[("grpc-status", "5"), ("grpc-message", "nobody"), ("x-long", &long)]), status("5", "nobody")),
        (fields(&[("grpc-status", "5"), ("grpc-message", &long)]), status("5", &no_message)),
    ] {
        let mut wire = asked_within(1000);
        wire.sender.respond(1, StatusCode::OK, &HeaderMap::new(), false).unwrap();
        wire.sender.trailers(1, &end).unwrap();
        wire.sender.respond(3, StatusCode::OK, &end, true).unwrap();
        let mut seen = wire.read_fields();
        assert_eq!(seen.drain(..2).collect::<Vec<_>>(), expected);
        assert_eq!(seen[0], expected[0]);
        assert_eq!(wire.sender.active(), 0);
    }
}
