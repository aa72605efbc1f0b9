//! Tests of what the writer gets to see.

use std::io::IoSlice;

use bytes::{Buf, Bytes};

use super::{Outgoing, SHARE, SMALL, Segments};

fn payload(len: usize, seed: u8) -> Bytes {
    (0..len).map(|at| (at % 251) as u8 ^ seed).collect()
}

/// What a session of small and large frames is on the wire, and the segments that hold it.
fn session() -> (Segments, Vec<u8>) {
    let (mut segments, mut flat) = (Segments::default(), Vec::new());
    let frames = [(1, 10), (3, SHARE), (3, SHARE + 1), (1, 0), (5, SHARE - 1), (7, 70_000)];
    for (stream, len) in frames {
        let payload = payload(len, stream as u8);
        crate::frame::data::write(stream, len, false, &mut flat);
        flat.extend_from_slice(&payload);
        segments.data(stream, payload, false);
    }
    (segments, flat)
}

fn outgoing(mut segments: Segments) -> Outgoing {
    let mut out = Outgoing::default();
    out.exchange(&mut segments);
    out
}

#[test]
fn large_payloads_are_not_copied_and_small_ones_are() {
    let (segments, flat) = session();
    assert_eq!(segments.shared.len(), 3);
    assert_eq!(segments.copied.len(), 6 * 9 + 10 + SHARE - 1);
    assert_eq!(segments.len(), flat.len());
}

#[test]
fn bytes_come_in_order_however_they_are_written() {
    let mut random = fastrand::Rng::with_seed(3);
    for longest in [1, 7, 5_000, 1 << 20] {
        let (segments, flat) = session();
        let (mut out, mut written) = (outgoing(segments), Vec::new());
        while out.has_remaining() {
            let chunk = out.chunk();
            let count = random.usize(1..=longest).min(chunk.len());
            written.extend_from_slice(&chunk[..count]);
            out.advance(count);
        }
        assert_eq!(written, flat, "writes of up to {longest}");
    }
}

#[test]
fn a_vectored_write_sees_the_same_bytes_from_any_point_on() {
    let (segments, flat) = session();
    let mut out = outgoing(segments);
    let mut at = 0;
    while out.has_remaining() {
        for places in [1, 2, 64] {
            let mut slices = vec![IoSlice::new(&[]); places];
            let filled = out.chunks_vectored(&mut slices);
            let seen: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
            assert!(filled > 0 && flat[at..].starts_with(&seen));
            assert!(places < 64 || seen.len() == flat.len() - at);
        }
        let count = 3_333.min(out.remaining());
        out.advance(count);
        at += count;
    }
    assert_eq!(out.chunks_vectored(&mut [IoSlice::new(&[])]), 0);
    assert_eq!(out.chunk(), b"");
}

#[test]
fn a_payload_that_is_written_is_let_go() {
    let mut segments = Segments::default();
    segments.data(1, payload(SHARE, 0), true);
    let mut out = outgoing(segments);
    out.advance(9 + SHARE - 1);
    assert_eq!(out.segments.shared[0].1.len(), 1);
    out.advance(1);
    assert!(out.segments.shared[0].1.is_empty() && !out.has_remaining());
}

#[test]
fn a_buffer_gives_memory_back_when_it_is_no_longer_needed() {
    let (mut segments, mut out) = (Segments::default(), Outgoing::default());
    (0..100).for_each(|_| segments.data(1, payload(SHARE - 1, 0), false));
    for _ in 0..100 {
        out.exchange(&mut segments);
        out.advance(out.remaining());
        segments.data(1, payload(100, 0), false);
    }
    assert!(segments.copied.capacity() <= SMALL && out.segments.copied.capacity() <= SMALL);
}

#[test]
fn a_buffer_that_is_always_full_keeps_its_memory() {
    let (mut segments, mut out) = (Segments::default(), Outgoing::default());
    let mut capacities = Vec::new();
    for _ in 0..50 {
        (0..20).for_each(|_| segments.data(1, payload(SHARE - 1, 0), false));
        capacities.push(segments.copied.capacity());
        out.exchange(&mut segments);
        out.advance(out.remaining());
    }
    assert!(capacities[2..].windows(2).all(|two| two[0] == two[1]), "{capacities:?}");
}

#[test]
fn each_frame_of_a_long_header_block_is_counted() {
    let mut segments = Segments::default();
    for len in [0, 1, 16, 17, 32, 33] {
        segments.headers(1, &vec![0; len], false, 16);
        let frames = len.div_ceil(16).max(1);
        assert_eq!((segments.take_frames(), segments.len()), (frames as u64, len + 9 * frames), "{len} bytes");
        segments.clear();
    }
}
