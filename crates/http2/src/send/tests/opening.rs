//! Tests of opening streams.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Refused, Seen, Wire, body, data, headers, message};
use crate::{
    config::{Config, Role},
    exchange::GoAway,
    flow::LARGEST,
    frame::settings::Settings,
    send::{Outgoing, Sender},
};

#[test]
fn a_client_begins_with_its_preface_its_settings_and_its_window() {
    let mut wire = Wire {
        sender: Sender::new(Role::Client, &Config::default()),
        out: Outgoing::default(),
        decoder: crate::hpack::decoder::Decoder::new(4096),
        preface: true,
    };
    let settings = Settings {
        enable_push: Some(false),
        initial_window_size: Some(512 << 10),
        max_header_list_size: Some(64 << 10),
        ..Settings::default()
    };
    assert_eq!(wire.read(), [Seen::Settings(settings), Seen::Window(0, (1 << 20) - 65_535)]);
    assert_eq!(wire.news().credits, [], "the receiver counts the first window itself");
    assert_eq!(wire.sender.windows().receive, 1 << 20);
}

#[test]
fn a_server_begins_with_its_settings() {
    let config = Config {
        max_concurrent_streams: 7,
        max_frame_size: 1 << 20,
        connection_window: 1,
        stream_window: 65_535,
        ..Config::default()
    };
    let sender = Sender::new(Role::Server, &config);
    let decoder = crate::hpack::decoder::Decoder::new(4096);
    let mut wire = Wire { sender, out: Outgoing::default(), decoder, preface: false };
    let settings = Settings {
        max_concurrent_streams: Some(7),
        max_frame_size: Some(1 << 20),
        initial_window_size: Some(65_535),
        max_header_list_size: Some(64 << 10),
        ..Settings::default()
    };
    assert_eq!(wire.read(), [Seen::Settings(settings)]);
    assert_eq!(wire.sender.windows().receive, 65_535, "a window cannot begin smaller");
}

#[test]
fn a_unary_call_is_two_frames_and_one_registration() {
    let mut wire = Wire::client();
    assert_eq!(wire.open(Some(message(10)), true), Ok(1));
    assert_eq!(wire.open(Some(message(0)), true), Ok(3));
    let news = wire.news();
    assert_eq!((news.opened, news.data_frames), (vec![(1, 1), (3, 3)], 2));
    let expected =
        [headers(1, 7, false), data(1, &message(10), true), headers(3, 7, false), data(3, &message(0), true)];
    assert_eq!(wire.read(), expected);
    let counters = wire.sender.counters();
    assert_eq!((counters.streams_started, counters.messages_sent), (2, 2));
}

#[test]
fn a_call_without_a_body_is_one_frame_and_one_without_messages_ends_by_empty_data() {
    let mut wire = Wire::client();
    assert_eq!(wire.open(None, true), Ok(1));
    assert_eq!(wire.open(Some(bytes::Bytes::new()), true), Ok(3));
    assert_eq!(wire.read(), [headers(1, 7, true), headers(3, 7, false), data(3, &[], true)]);
}

#[test]
fn the_peer_says_how_many_streams_there_can_be() {
    let mut wire = Wire::client();
    assert_eq!((wire.sender.max_concurrent(), wire.sender.is_settled()), (u32::MAX, false));
    wire.settings(Settings { max_concurrent_streams: Some(2), ..Settings::default() }).unwrap();
    assert_eq!((wire.sender.max_concurrent(), wire.sender.is_settled()), (2, true));
    assert_eq!(wire.sender.room(), 2);
    assert_eq!((wire.open(None, true), wire.open(None, true)), (Ok(1), Ok(3)));
    assert!(!wire.sender.has_room());
    assert_eq!((wire.open(None, true), wire.sender.room()), (Err(Refused::Full), 0));
    wire.apply(|effects| effects.ended.push(1)).unwrap();
    assert_eq!(wire.sender.room(), 1);
    assert_eq!(wire.open(None, true), Ok(5), "no id was lost");
    wire.settings(Settings { max_concurrent_streams: Some(1), ..Settings::default() }).unwrap();
    assert_eq!(wire.sender.room(), 0, "there are more than the peer allows by now");
    wire.settings(Settings { max_concurrent_streams: Some(9), ..Settings::default() }).unwrap();
    assert_eq!(wire.sender.room(), 7);
    wire.sender.close();
    assert_eq!(wire.sender.room(), 0);
}

#[test]
fn headers_too_large_for_the_peer_are_refused_before_anything_is_encoded() {
    let mut wire = Wire::client();
    wire.settings(Settings { max_header_list_size: Some(400), ..Settings::default() }).unwrap();
    let large: HeaderMap =
        [(HeaderName::from_static("x-large"), HeaderValue::from_static("0123456789012345678901234567890123456789"))]
            .into_iter()
            .collect();
    for _ in 0..3 {
        let refused = wire.open_with(&large, Some(message(1)), true);
        assert!(matches!(refused, Err(Refused::HeadersTooLarge { size, limit: 400 }) if size > 400), "{refused:?}");
    }
    assert_eq!(wire.open(None, true), Ok(1));
    assert_eq!(wire.read(), [Seen::SettingsAck, headers(1, 7, true)]);
    assert_eq!(wire.sender.active(), 1);
}

#[test]
fn a_long_header_block_continues_in_frames_that_the_peer_accepts() {
    let mut wire = Wire::client();
    let value = HeaderValue::from_bytes(&[b'~'; 40_000]).unwrap();
    let large: HeaderMap = [(HeaderName::from_static("x-large"), value)].into_iter().collect();
    assert_eq!(wire.open_with(&large, None, true), Ok(1));
    let before = wire.sender.counters().frames_sent;
    assert_eq!(wire.read(), [headers(1, 8, true)]);
    assert!(wire.sender.counters().frames_sent - before >= 3);
}

#[test]
fn a_message_larger_than_a_frame_is_cut_into_frames() {
    let mut wire = Wire::client();
    let large = message(40_000);
    wire.open(Some(large.clone()), true).unwrap();
    let frames = wire.read();
    assert_eq!(frames.len(), 4);
    assert_eq!(body(&frames, 1), (large.to_vec(), true));
    wire.settings(Settings { max_frame_size: Some(1 << 20), ..Settings::default() }).unwrap();
    wire.windows(&[(0, 1 << 20)]).unwrap();
    wire.read();
    wire.open(Some(large.clone()), true).unwrap();
    assert_eq!(wire.read()[1..], [data(3, &large, true)]);
}

#[test]
fn nothing_is_opened_on_a_connection_that_goes_away_or_is_closed() {
    let mut wire = Wire::client();
    let go_away = GoAway { last_stream: 0, code: crate::error::Code::NO_ERROR, debug: String::new() };
    wire.apply(|effects| effects.go_away = Some(go_away)).unwrap();
    assert_eq!(wire.open(None, true), Err(Refused::Draining));
    wire.sender.close();
    assert_eq!(wire.open(None, true), Err(Refused::Closed));
    assert_eq!(wire.news().opened, []);
}

#[test]
fn ids_run_out_after_the_last_one() {
    let mut wire = Wire::client();
    wire.sender.next_stream = LARGEST;
    assert_eq!(wire.open(None, true), Ok(LARGEST));
    assert!(wire.sender.is_exhausted());
    assert_eq!(wire.open(None, true), Err(Refused::IdsExhausted));
}

#[test]
fn streams_are_unsent_until_the_writer_takes_them() {
    let mut wire = Wire::client();
    wire.open(None, true).unwrap();
    assert_eq!(wire.sender.first_unsent(), 1);
    wire.read();
    wire.open(None, true).unwrap();
    assert_eq!(wire.sender.first_unsent(), 3);
}
