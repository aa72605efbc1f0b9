//! Tests of what the peer's frames make of the sender.

use bytes::Buf;
use http::HeaderMap;

use super::{Seen, Wire, headers};
use crate::{
    config::{Config, Role},
    counters::Counters,
    error::Code,
    flow::LARGEST,
    frame::{HEAD, Head, kind, settings, settings::Settings},
    send::Outgoing,
};

#[test]
fn settings_are_obeyed_and_each_is_acknowledged() {
    let mut wire = Wire::client();
    let first = Settings { initial_window_size: Some(5), max_concurrent_streams: Some(9), ..Settings::default() };
    let second = Settings { initial_window_size: Some(7), max_frame_size: Some(1 << 15), ..Settings::default() };
    wire.apply(|effects| effects.settings.extend([first, second])).unwrap();
    assert_eq!(wire.read(), [Seen::SettingsAck, Seen::SettingsAck]);
    let id = wire.open(None, false).unwrap();
    assert_eq!((wire.sender.stream_window(id), wire.sender.max_concurrent()), (Some(7), 9));
}

#[test]
fn a_header_table_of_no_size_is_obeyed() {
    let mut wire = Wire::client();
    (0..3).for_each(|_| assert!(wire.open(None, true).is_ok()));
    wire.read();
    wire.settings(Settings { header_table_size: Some(0), ..Settings::default() }).unwrap();
    (0..3).for_each(|_| assert!(wire.open(None, true).is_ok()));
    let expected = [Seen::SettingsAck, headers(7, 7, true), headers(9, 7, true), headers(11, 7, true)];
    assert_eq!(wire.read(), expected);
}

#[test]
fn a_header_table_that_shrinks_and_grows_in_one_frame_is_emptied_and_the_peer_told() {
    let payload = [0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 16, 0];
    let head = Head { len: payload.len(), kind: kind::SETTINGS, flags: 0, stream: 0 };
    let twice = settings::parse(&head, &payload).unwrap().unwrap();
    assert_eq!((twice.least_table_size, twice.header_table_size), (Some(0), Some(4096)));
    let mut wire = Wire::client();
    wire.settings(twice).unwrap();
    assert!(wire.open(None, true).is_ok());
    let mut out = Outgoing::default();
    wire.sender.take(&mut out);
    let bytes = out.copy_to_bytes(out.remaining());
    let block = &bytes[2 * HEAD..];
    assert_eq!(block[..4], [0x20, 0x3f, 0xe1, 0x1f], "a size of 0, then one of 4096");
}

#[test]
fn settings_that_make_a_window_too_large_end_the_connection() {
    let mut wire = Wire::client();
    let id = wire.open(None, false).unwrap();
    wire.windows(&[(id, LARGEST - 65_535)]).unwrap();
    let ended = wire.settings(Settings { initial_window_size: Some(65_536), ..Settings::default() }).unwrap_err();
    assert_eq!(ended.code, Code::FLOW_CONTROL_ERROR);
    assert_eq!(ended.text, "SETTINGS: an initial window of 65536 makes that of stream 1 exceed 2^31-1");
}

#[test]
fn a_connection_window_that_becomes_too_large_ends_the_connection() {
    let mut wire = Wire::client();
    wire.windows(&[(0, LARGEST - 65_535)]).unwrap();
    let ended = wire.windows(&[(0, 1)]).unwrap_err();
    assert_eq!(ended.code, Code::FLOW_CONTROL_ERROR);
    assert_eq!(ended.text, "WINDOW_UPDATE by 1: the window of the connection would exceed 2^31-1");
}

#[test]
fn pings_are_answered_and_probes_are_sent() {
    let mut wire = Wire::client();
    wire.apply(|effects| {
        effects.pings.extend([[1; 8], [2; 8]]);
        effects.probe = Some([3; 8]);
    })
    .unwrap();
    wire.sender.ping([4; 8]);
    wire.sender.keepalive([5; 8]);
    let expected = [Seen::Pong([1; 8]), Seen::Pong([2; 8]), Seen::Ping([3; 8]), Seen::Ping([4; 8]), Seen::Ping([5; 8])];
    assert_eq!(wire.read(), expected);
    assert_eq!(wire.sender.counters().keepalives_sent, 1);
}

#[test]
fn a_peer_that_does_not_read_our_answers_is_cut_off() {
    let mut config = Config::default();
    config.limits.unsent_answers = 17 * 10;
    let mut wire = Wire::new(Role::Server, &config);
    for _ in 0..3 {
        wire.apply(|effects| effects.pings.extend([[0; 8]; 10])).unwrap();
        wire.read();
    }
    wire.apply(|effects| effects.pings.extend([[0; 8]; 10])).unwrap();
    let ended = wire.settings(Settings::default()).unwrap_err();
    assert_eq!(ended.code, Code::ENHANCE_YOUR_CALM);
    assert_eq!(ended.text, "179 bytes of answers wait, and the peer does not read");
}

#[test]
fn the_connection_window_is_returned_when_half_of_it_is_owed() {
    let mut wire = Wire::new(Role::Client, &Config { connection_window: 100_000, ..Config::default() });
    wire.apply(|effects| effects.received = 49_999).unwrap();
    assert!(!wire.sender.wants_write());
    assert_eq!(wire.sender.windows().receive, 50_001);
    wire.apply(|effects| effects.received = 1).unwrap();
    assert_eq!(wire.read(), [Seen::Window(0, 50_000)]);
    assert_eq!((wire.news().credits, wire.sender.windows().receive), (vec![(0, 50_000)], 100_000));
}

#[test]
fn a_withheld_window_is_returned_on_release() {
    let mut wire = Wire::new(Role::Client, &Config { connection_window: 100_000, ..Config::default() });
    wire.sender.withhold(true);
    wire.apply(|effects| effects.received = 90_000).unwrap();
    assert!(!wire.sender.wants_write());
    wire.sender.withhold(false);
    wire.sender.release();
    wire.sender.release();
    assert_eq!((wire.read(), wire.news().credits), (vec![Seen::Window(0, 90_000)], vec![(0, 90_000)]));
}

#[test]
fn what_was_read_is_credited_while_the_peer_has_more_to_say() {
    let mut wire = Wire::server();
    wire.accept(&[1]);
    wire.sender.credit(1, 100);
    wire.sender.credit(1, 0);
    wire.sender.credit(3, 100);
    wire.apply(|effects| effects.ended.push(1)).unwrap();
    wire.sender.credit(1, 100);
    assert_eq!((wire.read(), wire.news().credits), (vec![Seen::Window(1, 100)], vec![(1, 100)]));
}

#[test]
fn padding_is_credited_at_once() {
    let mut wire = Wire::server();
    wire.accept(&[1]);
    wire.apply(|effects| effects.padding.extend([(1, 10), (5, 10)])).unwrap();
    assert_eq!((wire.read(), wire.news().credits), (vec![Seen::Window(1, 10)], vec![(1, 10)]));
}

#[test]
fn windows_grow_and_never_shrink() {
    let mut wire = Wire::client();
    wire.apply(|effects| effects.grow = Some(3 << 20)).unwrap();
    let grown = Settings { initial_window_size: Some(3 << 20), ..Settings::default() };
    assert_eq!(wire.read(), [Seen::Settings(grown), Seen::Window(0, 2 << 20)]);
    assert_eq!((wire.news().credits, wire.sender.windows().receive), (vec![(0, 2 << 20)], 3 << 20));
    wire.apply(|effects| effects.grow = Some(2 << 20)).unwrap();
    assert_eq!(wire.read().len(), 1, "the streams' window is for the receiver to decide");
    assert_eq!(wire.sender.windows().receive, 3 << 20);
}

#[test]
fn effects_are_empty_when_they_are_applied() {
    let mut wire = Wire::server();
    let mut effects = crate::exchange::Effects::default();
    effects.accepted.extend([1, 3, 5, 7]);
    effects.ended.push(1);
    effects.gone.push(3);
    effects.resets.push((5, Code::CANCEL));
    effects.windows.extend([(0, 1), (7, 1)]);
    effects.counters.messages_received = 4;
    wire.sender.apply(&mut effects).unwrap();
    assert_eq!(format!("{effects:?}"), format!("{:?}", crate::exchange::Effects::default()));
    assert_eq!(wire.sender.stream_window(7), Some(65_536));
    wire.sender.respond(1, http::StatusCode::OK, &HeaderMap::new(), true).unwrap();
    let counters = wire.sender.counters();
    let expected = Counters {
        streams_started: 4,
        streams_succeeded: 1,
        streams_failed: 2,
        messages_received: 4,
        resets_sent: 1,
        ..counters
    };
    assert_eq!(counters, expected);
}

#[test]
fn writes_frames_and_bytes_are_counted() {
    let mut wire = Wire::client();
    let before = wire.sender.counters();
    wire.open(Some(super::message(10)), true).unwrap();
    wire.read();
    wire.out.wrote();
    wire.out.wrote();
    wire.read();
    let counters = wire.sender.counters();
    assert_eq!((counters.frames_sent - before.frames_sent, counters.writes), (2, 2));
    assert!(counters.bytes_sent - before.bytes_sent > 33);
}
