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
