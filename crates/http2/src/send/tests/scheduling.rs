//! Tests of who sends when: windows, the write buffer, and turns.

use bytes::{Bytes, BytesMut};

use super::{Seen, Wire, body, message, turns};
use crate::{
    config::{Config, Role},
    error::Code,
    flow::LARGEST,
    frame::settings::Settings,
    send::Progress,
};

/// A client that may send without end, but for its write buffer.
fn unlimited() -> Wire {
    let mut wire = Wire::client();
    wire.settings(Settings { initial_window_size: Some(LARGEST), ..Settings::default() }).unwrap();
    wire.windows(&[(0, LARGEST - 65_535)]).unwrap();
    wire.read();
    wire
}

#[test]
fn data_wait_for_the_window_of_their_stream() {
    let mut wire = Wire::client();
    let large = message(100_000);
    wire.open(Some(large.clone()), true).unwrap();
    wire.windows(&[(0, 1 << 20)]).unwrap();
    let (mut frames, drained) = wire.read_all();
    assert_eq!(body(&frames, 1).0.len(), 65_535);
    assert_eq!((drained, wire.sender.stream_window(1)), (vec![], Some(0)));
    wire.windows(&[(1, 40_000)]).unwrap();
    let (more, drained) = wire.read_all();
    frames.extend(more);
    assert_eq!(body(&frames, 1), (large.to_vec(), true));
    assert_eq!((drained, wire.sender.stream_window(1)), (vec![1], Some(65_535 + 40_000 - 100_005)));
}

#[test]
fn little_data_that_wait_keep_no_large_buffer() {
    let mut wire = Wire::client();
    wire.settings(Settings { initial_window_size: Some(0), ..Settings::default() }).unwrap();
    let mut buffer = BytesMut::with_capacity(8 << 10);
    buffer.extend_from_slice(&message(10));
    wire.open(Some(buffer.split().freeze()), true).unwrap();
    assert!(buffer.try_reclaim(8 << 10), "nobody else has a hand on the buffer");
    wire.windows(&[(1, 100)]).unwrap();
    assert_eq!(body(&wire.read_all().0, 1), (message(10).to_vec(), true));
}

#[test]
fn data_wait_for_the_window_of_the_connection_and_take_turns_when_it_opens() {
    let mut wire = Wire::client();
    let (a, b) = (message(60_000), message(50_000));
    wire.open(Some(a.clone()), true).unwrap();
    wire.open(Some(b.clone()), true).unwrap();
    let (mut frames, _) = wire.read_all();
    assert_eq!(wire.sender.windows().send, 0);
    assert!(!wire.sender.wants_write());
    assert_eq!(turns(&frames), [1, 1, 1, 1, 3], "the first was there first");
    // Whoever comes later does not overtake those who wait.
    wire.open(Some(message(10)), true).unwrap();
    wire.windows(&[(0, 30_000)]).unwrap();
    wire.windows(&[(0, 30_000)]).unwrap();
    let (more, drained) = wire.read_all();
    assert_eq!(turns(&more)[..2], [3, 5]);
    frames.extend(more);
    assert_eq!(body(&frames, 1), (a.to_vec(), true));
    assert_eq!(body(&frames, 3), (b.to_vec(), true));
    assert_eq!(body(&frames, 5), (message(10).to_vec(), true));
    assert_eq!(drained, [5, 3]);
}

#[test]
fn big_and_small_messages_take_turns() {
    let mut wire = unlimited();
    let streams: Vec<u32> = (0..4).map(|_| wire.open(Some(message(300_000)), true).unwrap()).collect();
    let frames = wire.read();
    let first = turns(&frames);
    assert_eq!(first[..8], [streams.clone(), streams.clone()].concat());
    assert!(wire.sender.wants_write(), "no more than a buffer at once");
    let small = wire.open(Some(message(100)), true).unwrap();
    assert_eq!(turns(&wire.read()).first(), Some(&small), "there was room for it");
    let (frames, mut drained) = wire.read_all();
    drained.sort_unstable();
    assert_eq!(drained, streams);
    assert!(streams.iter().all(|id| body(&frames, *id).1));
}

#[test]
fn one_stream_alone_sends_frames_as_large_as_the_peer_allows() {
    let mut wire = unlimited();
    wire.settings(Settings { max_frame_size: Some((1 << 24) - 1), ..Settings::default() }).unwrap();
    wire.open(Some(message(1 << 20)), true).unwrap();
    let (frames, _) = wire.read_all();
    assert_eq!(turns(&frames).len(), 9);
    assert_eq!(body(&frames, 1), (message(1 << 20).to_vec(), true));
}

#[test]
fn a_buffer_full_of_other_frames_does_not_starve_a_queue() {
    let config = Config { max_write_buffer: 1_000, ..Config::default() };
    let mut wire = Wire::new(Role::Client, &config);
    wire.open(Some(message(20_000)), true).unwrap();
    let mut frames = Vec::new();
    while wire.sender.stream_window(1) != Some(65_535 - 20_005) {
        (0..200).for_each(|_| wire.sender.ping([1; 8]));
        assert!(!turns(&frames).is_empty() || frames.is_empty());
        frames.extend(wire.read());
    }
    assert_eq!(body(&frames, 1), (message(20_000).to_vec(), true));
}

#[test]
fn the_write_buffer_is_bounded() {
    let mut wire = unlimited();
    let id = wire.open(None, false).unwrap();
    let chunk = message(10_000);
    let mut sent = 0;
    while wire.sender.data(id, chunk.clone(), false, &id) == Ok(Progress::Sent) {
        sent += chunk.len();
    }
    assert!(sent <= 128 << 10 && sent > 100 << 10, "{sent}");
    wire.read();
    assert_eq!(*wire.sender.drained(), [id]);
}

#[test]
fn more_data_can_join_those_that_wait() {
    let mut wire = Wire::client();
    let id = wire.open(Some(message(100_000)), false).unwrap();
    assert_eq!(wire.sender.data(id, message(7), false, &id), Ok(Progress::Waiting));
    assert_eq!(wire.sender.data(id, message(8), true, &id), Ok(Progress::Waiting));
    wire.windows(&[(0, 1 << 20), (id, 1 << 20)]).unwrap();
    let (frames, drained) = wire.read_all();
    let all = [message(100_000), message(7), message(8)].concat();
    assert_eq!((body(&frames, id), drained), ((all, true), vec![id]));
}

#[test]
fn settings_can_make_windows_negative_and_open_them_again() {
    let mut wire = Wire::client();
    let id = wire.open(Some(message(50_000)), false).unwrap();
    wire.read_all();
    wire.settings(Settings { initial_window_size: Some(10_000), ..Settings::default() }).unwrap();
    assert_eq!(wire.sender.stream_window(id), Some(10_000 - 50_005));
    assert_eq!(wire.sender.data(id, message(5), true, &id), Ok(Progress::Waiting));
    wire.windows(&[(id, 40_005)]).unwrap();
    assert_eq!(turns(&wire.read_all().0), []);
    wire.windows(&[(id, 3)]).unwrap();
    assert_eq!(body(&wire.read_all().0, id).0.len(), 3);
    wire.settings(Settings { initial_window_size: Some(20_000), ..Settings::default() }).unwrap();
    let (frames, drained) = wire.read_all();
    assert_eq!((body(&frames, id), drained), ((message(5)[3..].to_vec(), true), vec![id]));
    assert_eq!(wire.open(None, false).map(|id| wire.sender.stream_window(id)), Ok(Some(20_000)));
}

#[test]
fn a_stream_in_turn_whose_window_was_taken_back_waits() {
    let mut wire = unlimited();
    let id = wire.open(Some(message(300_000)), true).unwrap();
    wire.read();
    let left = wire.sender.stream_window(id).unwrap();
    wire.settings(Settings { initial_window_size: Some(0), ..Settings::default() }).unwrap();
    assert_eq!(turns(&wire.read_all().0), []);
    wire.windows(&[(id, LARGEST - left as u32 + 300_000)]).unwrap();
    assert!(body(&wire.read_all().0, id).1);
}

#[test]
fn a_fast_stream_does_not_hold_up_others_when_the_peer_stalls_it() {
    let mut wire = Wire::client();
    wire.windows(&[(0, 1 << 20)]).unwrap();
    let slow = wire.open(Some(message(200_000)), true).unwrap();
    wire.read_all();
    let quick = wire.open(Some(message(1_000)), true).unwrap();
    assert_eq!(body(&wire.read(), quick), (message(1_000).to_vec(), true));
    assert_eq!(wire.sender.stream_window(slow), Some(0));
}

#[test]
fn too_much_behind_closed_windows_ends_the_connection() {
    let config = Config { max_stalled: 100_000, ..Config::default() };
    let mut wire = Wire::new(Role::Client, &config);
    let id = wire.open(Some(message(90_000)), false).unwrap();
    wire.read_all();
    assert_eq!(wire.sender.fault(), None);
    assert_eq!(wire.sender.data(id, message(90_000), false, &id), Ok(Progress::Waiting));
    let fault = wire.sender.fault().unwrap();
    assert_eq!(fault.code, Code::ENHANCE_YOUR_CALM);
    assert_eq!(fault.text, "114475 bytes wait, and the peer keeps its windows shut");
    assert_eq!(wire.sender.data(id, message(1), false, &id), Ok(Progress::Waiting));
    assert_eq!(wire.apply(|_| {}).map_err(|violation| violation.code), Err(Code::ENHANCE_YOUR_CALM));
}

#[test]
fn windows_that_are_hardly_open_count_as_closed() {
    let mut wire = Wire::new(Role::Client, &Config { max_stalled: 100_000, ..Config::default() });
    wire.settings(Settings { initial_window_size: Some(1), ..Settings::default() }).unwrap();
    wire.windows(&[(0, LARGEST - 65_535)]).unwrap();
    let open = |_: &u32| wire.open(Some(message(30_000)), true).is_ok() && wire.sender.fault().is_none();
    assert_eq!((0..10).take_while(open).count(), 3);
}

#[test]
fn data_that_wait_only_for_the_socket_do_not_end_the_connection() {
    let mut wire = Wire::new(Role::Client, &Config { max_stalled: 100_000, ..Config::default() });
    wire.settings(Settings { initial_window_size: Some(LARGEST), ..Settings::default() }).unwrap();
    wire.windows(&[(0, LARGEST - 65_535)]).unwrap();
    (0..10).for_each(|_| assert!(wire.open(Some(message(200_000)), true).is_ok()));
    assert_eq!(wire.sender.fault(), None);
    assert_eq!(wire.read_all().1.len(), 10);
}

#[test]
fn turns_of_streams_that_are_over_are_forgotten() {
    let mut wire = Wire::client();
    wire.open(Some(message(70_000)), true).unwrap();
    wire.read_all();
    for _ in 0..10_000 {
        let id = wire.open(Some(message(1)), true).unwrap();
        assert!(wire.sender.reset(id, Code::CANCEL));
    }
    wire.read_all();
    let news = wire.news();
    assert_eq!((news.opened.len(), news.closed.len(), wire.sender.active()), (10_001, 10_000, 1));
    wire.windows(&[(0, 10_000), (1, 10_000)]).unwrap();
    let (frames, _) = wire.read_all();
    assert!(matches!(&frames[..], [Seen::Data { stream: 1, end: true, .. }]), "{frames:?}");
}

#[test]
fn a_share_of_a_large_buffer_is_sent_and_not_copied() {
    let mut wire = unlimited();
    let payload = Bytes::from(vec![7; 50_000]);
    wire.open(Some(payload.clone()), true).unwrap();
    wire.sender.take(&mut wire.out);
    let mut slices = [std::io::IoSlice::new(&[]); 64];
    let filled = bytes::Buf::chunks_vectored(&wire.out, &mut slices);
    let shared = slices[..filled].iter().filter(|slice| payload.as_ptr_range().contains(&slice.as_ptr()));
    assert_eq!(shared.map(|slice| slice.len()).sum::<usize>(), 3 * (16 << 10), "all but the last frame");
}
