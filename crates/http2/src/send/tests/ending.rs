//! Tests of how streams and connections end.

use bytes::Buf;
use http::HeaderMap;

use super::{Seen, Wire, data, headers, message};
use crate::{
    config::{Config, Role},
    error::{Code, Violation},
    exchange::GoAway,
    flow::LARGEST,
    send::{Gone, Progress, Sender},
};

impl Wire {
    fn ended(&self) -> (usize, u64, u64) {
        let counters = self.sender.counters();
        (self.sender.active(), counters.streams_succeeded, counters.streams_failed)
    }
}

fn go_away(last_stream: u32) -> Option<GoAway> {
    Some(GoAway { last_stream, code: Code::NO_ERROR, debug: String::new() })
}

#[test]
fn a_reset_ends_a_stream_once() {
    let mut wire = Wire::client();
    let id = wire.open(None, false).unwrap();
    assert!(wire.sender.reset(id, Code::CANCEL));
    assert!(!wire.sender.reset(id, Code::CANCEL));
    wire.apply(|effects| effects.ended.push(id)).unwrap();
    wire.apply(|effects| effects.gone.push(id)).unwrap();
    assert_eq!(wire.read(), [headers(id, 7, false), Seen::Reset(id, Code::CANCEL)]);
    assert_eq!((wire.ended(), wire.news().closed), ((0, 0, 1), vec![id]));
    assert_eq!(wire.sender.counters().resets_sent, 1);
}

#[test]
fn the_end_of_the_answer_wins_over_a_later_reset() {
    let mut wire = Wire::client();
    let id = wire.open(None, true).unwrap();
    wire.apply(|effects| effects.ended.push(id)).unwrap();
    assert!(!wire.sender.reset(id, Code::CANCEL));
    assert_eq!((wire.read(), wire.ended()), (vec![headers(id, 7, true)], (0, 1, 0)));
    assert_eq!(wire.news().closed, []);
}

#[test]
fn an_answer_that_ends_before_the_request_stops_it() {
    let mut wire = Wire::client();
    let id = wire.open(Some(message(100_000)), false).unwrap();
    wire.read_all();
    wire.apply(|effects| effects.ended.push(id)).unwrap();
    assert_eq!(wire.read_all(), (vec![Seen::Reset(id, Code::NO_ERROR)], vec![id]));
    assert_eq!(wire.sender.data(id, message(1), true, &id), Err(Gone));
    assert_eq!((wire.ended(), wire.news().closed), ((0, 1, 0), vec![]));
}

#[test]
fn an_answer_that_ends_before_all_was_sent_stops_the_rest() {
    let mut wire = Wire::client();
    let id = wire.open(Some(message(100_000)), true).unwrap();
    wire.read_all();
    wire.apply(|effects| effects.ended.push(id)).unwrap();
    assert_eq!(wire.read_all(), (vec![Seen::Reset(id, Code::NO_ERROR)], vec![id]));
}

#[test]
fn a_stream_that_the_peer_resets_is_over() {
    let mut wire = Wire::client();
    let id = wire.open(Some(message(100_000)), false).unwrap();
    wire.read_all();
    wire.apply(|effects| effects.gone.push(id)).unwrap();
    assert_eq!(wire.read_all(), (vec![], vec![id]), "nothing answers a reset");
    assert_eq!(wire.sender.data(id, message(1), false, &id), Err(Gone));
    assert_eq!(wire.ended(), (0, 0, 1));
}

#[test]
fn a_stream_is_reset_for_what_the_peer_did_known_or_not() {
    let mut wire = Wire::server();
    wire.accept(&[1]);
    wire.apply(|effects| effects.resets.extend([(1, Code::PROTOCOL_ERROR), (3, Code::REFUSED_STREAM)])).unwrap();
    assert_eq!(wire.read(), [Seen::Reset(1, Code::PROTOCOL_ERROR), Seen::Reset(3, Code::REFUSED_STREAM)]);
    assert_eq!((wire.ended(), wire.news().closed), ((0, 0, 1), vec![]));
    assert_eq!(wire.sender.counters().resets_sent, 2);
}

#[test]
fn a_window_that_becomes_too_large_ends_its_stream_and_whoever_waits_is_told() {
    let mut wire = Wire::client();
    let (id, other) = (wire.open(None, false).unwrap(), wire.open(None, false).unwrap());
    wire.read();
    wire.windows(&[(id, LARGEST), (id, 1), (other, 1), (9, 1)]).unwrap();
    assert_eq!(wire.read(), [Seen::Reset(id, Code::FLOW_CONTROL_ERROR)]);
    let text = format!("WINDOW_UPDATE by {LARGEST}: the window of stream {id} would exceed 2^31-1");
    assert_eq!(wire.news().offended, [(id, Violation::new(Code::FLOW_CONTROL_ERROR, text))]);
    assert_eq!(wire.ended(), (1, 0, 1));
}

#[test]
fn streams_that_the_peer_did_not_process_are_over_and_the_others_go_on() {
    let mut wire = Wire::client();
    let ids: Vec<u32> = (0..4).map(|_| wire.open(Some(message(30_000)), false).unwrap()).collect();
    wire.read_all();
    wire.apply(|effects| effects.go_away = go_away(3)).unwrap();
    let mut drained = std::mem::take(wire.sender.drained());
    drained.sort_unstable();
    assert_eq!((drained, wire.ended()), (vec![5, 7], (2, 0, 2)));
    assert_eq!(wire.sender.data(ids[1], message(1), true, &3), Ok(Progress::Waiting));
    wire.windows(&[(0, 1 << 20)]).unwrap();
    assert!(wire.read_all().0.contains(&data(3, &message(1), true)));
    assert_eq!(wire.sender.data(ids[2], message(1), true, &5), Err(Gone));
}

#[test]
fn a_server_goes_on_when_its_client_goes_away() {
    let mut wire = Wire::server();
    wire.accept(&[1, 3]);
    wire.apply(|effects| effects.go_away = go_away(0)).unwrap();
    assert_eq!(wire.ended(), (2, 0, 0));
}

#[test]
fn a_closed_connection_lets_go_of_everybody() {
    let mut wire = Wire::client();
    let id = wire.open(Some(message(100_000)), false).unwrap();
    wire.open(None, true).unwrap();
    wire.read_all();
    wire.sender.close();
    wire.sender.close();
    assert_eq!((std::mem::take(wire.sender.drained()), wire.ended()), (vec![id], (0, 0, 2)));
    assert_eq!(wire.sender.data(id, message(1), false, &id), Err(Gone));
    assert!(wire.sender.is_closed() && !wire.sender.wants_write());
    wire.accept(&[2]);
    assert_eq!(wire.sender.active(), 0);
}

#[test]
fn a_closed_client_says_its_last_words_and_no_call_that_was_not_sent() {
    let mut wire = Wire::client();
    wire.open(None, true).unwrap();
    wire.read();
    wire.open(Some(message(10)), true).unwrap();
    wire.sender.go_away(0, Code::PROTOCOL_ERROR, "the peer is odd");
    wire.sender.close();
    assert_eq!(wire.sender.first_unsent(), 3);
    assert_eq!(wire.read(), [Seen::GoAway(0, Code::PROTOCOL_ERROR, "the peer is odd".to_owned())]);
    assert!(!wire.sender.wants_write());
}

#[test]
fn a_client_closed_before_its_preface_was_sent_says_nothing() {
    let mut wire = Wire { sender: Sender::new(Role::Client, &Config::default()), ..Wire::client() };
    wire.apply(|effects| effects.received = 10).unwrap();
    wire.sender.go_away(0, Code::PROTOCOL_ERROR, "the peer is odd");
    wire.sender.close();
    wire.sender.release();
    assert!(!wire.sender.wants_write());
}

#[test]
fn a_closed_server_still_sends_its_answers() {
    let mut wire = Wire::server();
    wire.accept(&[1]);
    wire.sender.respond(1, http::StatusCode::OK, &HeaderMap::new(), true).unwrap();
    wire.sender.go_away(1, Code::NO_ERROR, "");
    wire.sender.close();
    let last_words = Seen::GoAway(1, Code::NO_ERROR, String::new());
    assert_eq!(wire.read(), [headers(1, 2, true), Seen::Reset(1, Code::NO_ERROR), last_words]);
}

#[test]
fn the_writer_gets_nothing_while_it_is_still_writing() {
    let mut wire = Wire::client();
    wire.open(None, true).unwrap();
    wire.sender.take(&mut wire.out);
    let before = wire.out.remaining();
    wire.open(None, true).unwrap();
    wire.sender.take(&mut wire.out);
    assert_eq!((wire.out.remaining(), wire.sender.wants_write()), (before, true));
    wire.out.advance(before);
    wire.sender.take(&mut wire.out);
    assert!(wire.out.has_remaining() && !wire.sender.wants_write());
}
