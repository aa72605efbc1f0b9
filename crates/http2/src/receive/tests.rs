//! What honest frames come to: events, effects and what is left in the inbox. Violations have their own suite.

use bytes::{Bytes, BytesMut};

use super::*;
use crate::{
    bdp::PROBE,
    error::Code,
    fields::Fields,
    frame::{Head, PREFACE, flags, kind, ping::Ping, reset, settings, settings::Settings, window_update},
    head::{RequestHead, ResponseHead},
};

/// What was heard, in short. Data are kept.
#[derive(Default)]
struct Ear {
    heard: Vec<String>,
    data: Vec<Bytes>,
}

impl Sink for Ear {
    type Stream = u32;

    fn request(&mut self, id: u32, head: RequestHead, end: bool) -> u32 {
        self.heard.push(format!("{id} {} {end}", head.path));
        id
    }

    fn response(&mut self, stream: &u32, head: ResponseHead, end: bool) {
        self.heard.push(format!("{stream} {} {end}", head.status.as_u16()));
    }

    fn data(&mut self, stream: &u32, payload: Payload<'_>, end: bool) {
        self.heard.push(format!("{stream} {} bytes {end}", payload.len()));
        self.data.push(payload.into_bytes());
    }

    fn trailers(&mut self, stream: &u32, fields: Fields) {
        self.heard.push(format!("{stream} ends with {:?}", fields.grpc_status));
    }

    fn cut(&mut self, stream: &u32, cut: Cut) {
        self.heard.push(format!("{stream} {cut:?}"));
    }

    fn ping(&mut self) {
        self.heard.push("ping".to_owned());
    }

    fn pong(&mut self, payload: [u8; 8]) {
        self.heard.push(format!("pong {}", payload[0]));
    }

    fn settings(&mut self, settings: &Settings) {
        self.heard.push(format!("settings {:?}", settings.initial_window_size));
    }
}

struct Play {
    receiver: Receiver<u32>,
    ear: Ear,
    inbox: BytesMut,
}

impl Play {
    fn server(config: &Config) -> Self {
        let mut play =
            Self { receiver: Receiver::new(Role::Server, config), ear: Ear::default(), inbox: BytesMut::new() };
        play.send(&[PREFACE, &written(|out| Settings::default().write(out))].concat());
        play.ear.heard.clear();
        play
    }

    fn client(config: &Config, opened: &[u32]) -> Self {
        let mut play =
            Self { receiver: Receiver::new(Role::Client, config), ear: Ear::default(), inbox: BytesMut::new() };
        play.learn(News { opened: opened.iter().map(|id| (*id, *id)).collect(), ..News::default() });
        play.send(&written(|out| Settings::default().write(out)));
        play.ear.heard.clear();
        play
    }

    fn learn(&mut self, mut news: News<u32>) {
        self.receiver.learn(&mut news, &mut self.ear);
    }

    fn send_at(&mut self, now: u64, bytes: &[u8]) {
        self.inbox.extend_from_slice(bytes);
        self.receiver.receive(&mut self.inbox, now, &mut self.ear).expect("it is honest");
    }

    fn send(&mut self, bytes: &[u8]) {
        self.send_at(0, bytes);
    }

    fn heard(&mut self) -> Vec<String> {
        std::mem::take(&mut self.ear.heard)
    }
}

fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = written(|out| Head { len: payload.len(), kind, flags, stream }.write(out));
    out.extend_from_slice(payload);
    out
}

/// POST http /.
fn request(stream: u32, end: bool) -> Vec<u8> {
    frame(kind::HEADERS, flags::END_HEADERS | u8::from(end), stream, &[0x83, 0x86, 0x84])
}

/// 200.
fn response(stream: u32) -> Vec<u8> {
    frame(kind::HEADERS, flags::END_HEADERS, stream, &[0x88])
}

/// `grpc-status: 0`.
fn trailers(stream: u32) -> Vec<u8> {
    let block = [&[0, 11][..], b"grpc-status", &[1, b'0']].concat();
    frame(kind::HEADERS, flags::END_HEADERS | flags::END_STREAM, stream, &block)
}

fn data(stream: u32, end: bool, payload: &[u8]) -> Vec<u8> {
    frame(kind::DATA, u8::from(end), stream, payload)
}

#[test]
fn a_unary_call_is_three_events_on_either_side() {
    let mut server = Play::server(&Config::default());
    server.send(&[request(1, false), data(1, true, b"hello")].concat());
    assert_eq!(server.heard(), ["1 / false", "1 5 bytes true"]);
    let effects = server.receiver.effects();
    assert_eq!((&effects.accepted[..], &effects.ended[..], effects.received), (&[1][..], &[1][..], 5));
    assert_eq!(server.receiver.last_stream(), 1);

    let mut client = Play::client(&Config::default(), &[1]);
    client.send(&[response(1), data(1, false, b"world"), trailers(1)].concat());
    assert_eq!(client.heard(), ["1 200 false", "1 5 bytes false", "1 ends with Some(0)"]);
    assert_eq!(client.receiver.effects().ended, [1]);
    assert_eq!(client.receiver.streams().count(), 0);
}

#[test]
fn frames_that_are_cut_anywhere_say_the_same() {
    let config = Config { max_frame_size: 1 << 20, ..Config::default() };
    let all = [response(1), data(1, false, &[5; 3000]), data(1, false, &[6; 20_000]), trailers(1)].concat();
    for step in [1, 7, 1000, 4096, 9000] {
        let mut play = Play::client(&config, &[1]);
        all.chunks(step).for_each(|chunk| play.send(chunk));
        let body: Vec<u8> = play.ear.data.concat();
        assert!(body[..3000] == [5; 3000] && body[3000..] == [6; 20_000], "in steps of {step}");
        assert_eq!(play.heard().last().unwrap(), "1 ends with Some(0)");
        assert_eq!((play.inbox.len(), play.receiver.effects().counters.frames_received), (0, 5));
    }
}

#[test]
fn a_large_frame_is_handed_on_before_it_is_whole_and_a_small_one_is_not() {
    let mut play = Play::client(&Config::default(), &[1]);
    let large = data(1, false, &[0; 10_000]);
    play.send(&[response(1), large[..9 + 4095].to_vec()].concat());
    assert_eq!((play.heard().len(), play.receiver.missing()), (1, 10_000 - 4095));
    play.send(&large[9 + 4095..9 + 5000]);
    assert_eq!((play.heard(), play.receiver.missing()), (vec!["1 5000 bytes false".to_owned()], 5000));
    play.send(&large[9 + 5000..]);
    assert_eq!((play.heard(), play.receiver.missing()), (vec!["1 5000 bytes false".to_owned()], 9));
    play.send(&data(1, false, b"four")[..12]);
    assert_eq!((play.heard().len(), play.receiver.missing()), (0, 1));
}

#[test]
fn a_large_payload_shares_the_buffer_it_was_read_into() {
    let mut play = Play::client(&Config::default(), &[1]);
    play.inbox.extend_from_slice(&[response(1), data(1, false, &[1; 8000]), data(1, false, b"small")].concat());
    let buffer = play.inbox.as_ptr_range();
    play.receiver.receive(&mut play.inbox, 0, &mut play.ear).unwrap();
    let is_shared = |data: &Bytes| buffer.contains(&data.as_ptr());
    assert_eq!(play.ear.data.iter().map(is_shared).collect::<Vec<_>>(), [true, false]);
    assert!(play.inbox.is_empty());
}

#[test]
fn padding_is_given_back_at_once() {
    let mut play = Play::client(&Config::default(), &[1]);
    let padded = frame(kind::DATA, flags::PADDED, 1, &[3, b'a', b'b', 0, 0, 0]);
    play.send(&response(1));
    padded.iter().for_each(|byte| play.send(&[*byte]));
    play.send(&trailers(1));
    assert_eq!(play.heard(), ["1 200 false", "1 2 bytes false", "1 ends with Some(0)"]);
    let effects = play.receiver.effects();
    assert_eq!((&effects.padding[..], effects.received), (&[(1, 4)][..], 6));
}

#[test]
fn credits_open_the_windows_again() {
    let config = Config { stream_window: 70_000, connection_window: 70_000, ..Config::default() };
    let mut play = Play::client(&config, &[1]);
    play.send(&[response(1), data(1, false, &[0; 16_000])].concat());
    assert_eq!((play.receiver.window(), play.receiver.stream_window(1)), (54_000, Some(54_000)));
    play.learn(News { credits: vec![(0, 9000), (1, 16_000), (99, 5)], ..News::default() });
    assert_eq!((play.receiver.window(), play.receiver.stream_window(1)), (63_000, Some(70_000)));
}

#[test]
fn a_small_window_holds_from_the_acknowledgement_on() {
    let mut play = Play::client(&Config { stream_window: 1000, ..Config::default() }, &[1]);
    play.send(&[response(1), data(1, false, &[0; 2000])].concat());
    assert_eq!(play.receiver.stream_window(1), Some(63_535));
    play.send(&written(settings::write_ack));
    assert_eq!(play.receiver.stream_window(1), Some(-1000));
    play.learn(News { opened: vec![(3, 3)], credits: vec![(1, 2000)], ..News::default() });
    assert_eq!((play.receiver.stream_window(1), play.receiver.stream_window(3)), (Some(1000), Some(1000)));
}

#[test]
fn the_windows_grow_with_what_comes_in_per_round_trip() {
    let config = Config { stream_window: 65_535, adaptive_window: Some(1 << 24), ..Config::default() };
    let mut play = Play::client(&config, &[1, 3]);
    play.send_at(5, &response(1));
    (0..4).for_each(|_| play.send_at(5, &data(1, false, &[0; 15_000])));
    assert_eq!(play.receiver.effects().probe, Some(PROBE));
    let pong = written(|out| Ping { ack: true, payload: PROBE }.write(out));
    play.send_at(15, &pong);
    assert_eq!(play.receiver.effects().grow, Some(120_000));
    assert_eq!(play.receiver.stream_window(3), Some(120_000));
    assert!(!play.heard().contains(&"pong 116".to_owned()));
}

#[test]
fn pings_settings_and_windows_are_effects() {
    let mut play = Play::client(&Config::default(), &[1]);
    let ping = |ack| written(|out| Ping { ack, payload: [9; 8] }.write(out));
    let update = |stream| written(|out| window_update::write(stream, 5, out));
    let settings = Settings { initial_window_size: Some(1), ..Settings::default() };
    let sent = [ping(false), ping(true), update(0), update(1), written(|out| settings.write(out))];
    play.send(&sent.concat());
    assert_eq!(play.heard(), ["ping", "pong 9", "settings Some(1)"]);
    let effects = play.receiver.effects();
    assert_eq!((&effects.pings[..], &effects.windows[..]), (&[[9; 8]][..], &[(0, 5), (1, 5)][..]));
    assert_eq!(effects.settings, [Settings::default(), settings]);
}

#[test]
fn a_reset_cuts_its_stream_once() {
    let mut play = Play::client(&Config::default(), &[1]);
    let reset = written(|out| reset::write(1, Code::REFUSED_STREAM, out));
    play.send(&[reset.clone(), reset].concat());
    assert_eq!(play.heard(), ["1 Reset(REFUSED_STREAM(7))"]);
    let effects = play.receiver.effects();
    assert_eq!((&effects.gone[..], effects.counters.resets_received), (&[1][..], 1));
}

#[test]
fn streams_after_our_last_goaway_are_ignored_and_still_decoded() {
    let mut play = Play::server(&Config::default());
    play.send(&request(1, false));
    play.receiver.refuse_new();
    // The second request takes its path from what the first has put into the table.
    let block = [&[0x83, 0x86, 0x44, 2][..], b"/x"].concat();
    let opening = frame(kind::HEADERS, flags::END_HEADERS, 3, &block);
    play.send(&[opening, data(3, true, b"x"), data(1, true, b"y")].concat());
    assert_eq!(play.heard(), ["1 / false", "1 1 bytes true"]);
    assert_eq!((play.receiver.last_stream(), play.receiver.effects().received), (1, 2));
}

#[test]
fn a_stream_whose_window_the_peer_broke_is_cut() {
    let mut play = Play::client(&Config::default(), &[1]);
    let violation = Violation::new(Code::FLOW_CONTROL_ERROR, "too large");
    play.learn(News { offended: vec![(1, violation.clone())], ..News::default() });
    assert_eq!(play.heard(), [format!("1 {:?}", Cut::Violation(violation))]);
    play.send(&[response(1), trailers(1)].concat());
    assert_eq!((play.heard().len(), play.receiver.effects().counters.stream_errors), (0, 1));
}

#[test]
fn windows_broken_again_and_again_end_the_connection() {
    let mut config = Config::default();
    config.limits.stream_errors = 1;
    let mut play = Play::client(&config, &[1, 3]);
    let broken = |id| (id, Violation::new(Code::FLOW_CONTROL_ERROR, "too large"));
    play.learn(News { offended: vec![broken(1), broken(3)], ..News::default() });
    let violation = play.receiver.receive(&mut play.inbox, 0, &mut play.ear).unwrap_err();
    assert_eq!((violation.code, &*violation.text), (Code::ENHANCE_YOUR_CALM, "more than 1 errors of streams"));
}

#[test]
fn messages_are_counted_however_they_are_cut() {
    let mut play = Play::client(&Config::default(), &[1]);
    let head = [&[0x88, 0x0f, 0x10, 16][..], b"application/grpc"].concat();
    play.send(&frame(kind::HEADERS, flags::END_HEADERS, 1, &head));
    let message = [0, 0, 0, 0, 2, b'h', b'i'];
    play.send(&[data(1, false, &message), data(1, false, &message[..3]), data(1, false, &message[3..])].concat());
    assert_eq!(play.receiver.effects().counters.messages_received, 2);
}
