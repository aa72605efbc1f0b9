//! Random histories of calls and windows: whatever happens, each stream's bytes arrive in order, within the windows, and
//! all of them if the peer lets them.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use fastrand::Rng;

use super::{Code, Seen, Settings, Wire, message};
use crate::flow::INITIAL;

/// What the peer knows.
struct Peer {
    /// What it allows on the connection.
    window: i64,
    initial: i64,
    /// Initial windows that it has asked for and that are not acknowledged.
    asked: VecDeque<i64>,
    streams: BTreeMap<u32, Stream>,
}

#[derive(Default)]
struct Stream {
    window: i64,
    is_known: bool,
    handed_over: Vec<u8>,
    arrived: Vec<u8>,
    we_ended: bool,
    arrived_end: bool,
}

impl Peer {
    fn see(&mut self, frames: Vec<Seen>) {
        for frame in frames {
            match frame {
                Seen::Data { stream: id, bytes, end } => {
                    let stream = self.streams.get_mut(&id).expect("data of a stream that is over");
                    stream.window -= bytes.len() as i64;
                    self.window -= bytes.len() as i64;
                    assert!(
                        bytes.is_empty() || (stream.window >= 0 && self.window >= 0),
                        "stream {id} overran a window"
                    );
                    assert!(!stream.arrived_end, "data after the end of stream {id}");
                    stream.arrived.extend_from_slice(&bytes);
                    stream.arrived_end = end;
                }
                Seen::Headers { stream: id, .. } => {
                    let stream = self.streams.get_mut(&id).expect("headers of a stream that is over");
                    stream.is_known = true;
                    stream.window += self.initial;
                }
                Seen::SettingsAck => {
                    let initial = self.asked.pop_front().expect("one acknowledgement for each");
                    let known = self.streams.values_mut().filter(|stream| stream.is_known);
                    known.for_each(|stream| stream.window += initial - self.initial);
                    self.initial = initial;
                }
                Seen::Reset(..) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

/// Mostly small, seldom large.
fn any_message(random: &mut Rng) -> Bytes {
    let most = 1 << random.u32(..17);
    message(random.usize(..most))
}

fn step(wire: &mut Wire, peer: &mut Peer, random: &mut Rng) {
    let ids: Vec<u32> = peer.streams.keys().copied().collect();
    let one = (!ids.is_empty()).then(|| ids[random.usize(..ids.len())]);
    match (random.u32(..12), one) {
        (0..2, _) if ids.len() < 50 => {
            let first = any_message(random);
            let end = random.bool();
            let id = wire.open(Some(first.clone()), end).unwrap();
            let stream = Stream { handed_over: first.to_vec(), we_ended: end, ..Stream::default() };
            peer.streams.insert(id, stream);
        }
        (2..5, Some(id)) => {
            let stream = peer.streams.get_mut(&id).unwrap();
            let (chunk, end) = (any_message(random), random.u32(..4) == 0);
            let taken = wire.sender.data(id, chunk.clone(), end, &id);
            assert_eq!(taken.is_err(), stream.we_ended);
            if taken.is_ok() {
                stream.handed_over.extend_from_slice(&chunk);
                stream.we_ended = end;
            }
        }
        (5..8, Some(id)) => {
            let bytes = random.u32(1..100_000);
            let connection = random.u32(1..100_000);
            peer.streams.get_mut(&id).unwrap().window += i64::from(bytes);
            peer.window += i64::from(connection);
            wire.windows(&[(id, bytes), (0, connection)]).unwrap();
        }
        (8, _) => {
            let size = random.u32(..100_000);
            peer.asked.push_back(i64::from(size));
            wire.settings(Settings { initial_window_size: Some(size), ..Settings::default() }).unwrap();
        }
        (9, Some(id)) if random.u32(..3) == 0 => {
            let frames = wire.read_all().0;
            peer.see(frames);
            peer.streams.remove(&id);
            if random.bool() {
                assert!(wire.sender.reset(id, Code::CANCEL));
            } else {
                wire.apply(|effects| effects.gone.push(id)).unwrap();
            }
        }
        _ => {
            let frames = wire.read();
            peer.see(frames);
        }
    }
}

#[test]
fn bytes_arrive_in_order_within_the_windows_and_in_the_end_completely() {
    for seed in 0..60 {
        let mut random = Rng::with_seed(seed);
        let mut wire = Wire::client();
        let initial = i64::from(INITIAL);
        let (asked, streams) = (VecDeque::new(), BTreeMap::new());
        let mut peer = Peer { window: initial, initial, asked, streams };
        for _ in 0..400 {
            step(&mut wire, &mut peer, &mut random);
            let all = peer.streams.iter().all(|(_, stream)| stream.handed_over.starts_with(&stream.arrived));
            assert!(all, "seed {seed}: bytes out of order");
        }
        // In the end the peer lets everything come.
        while wire.sender.windows().send < 1 << 30 {
            peer.window += 1 << 29;
            wire.windows(&[(0, 1 << 29)]).unwrap();
        }
        for (id, stream) in &mut peer.streams {
            stream.window += 1 << 30;
            wire.windows(&[(*id, 1 << 30)]).unwrap();
        }
        peer.see(wire.read_all().0);
        for (id, stream) in &peer.streams {
            assert!(stream.arrived == stream.handed_over, "seed {seed}: stream {id} lacks bytes");
            assert_eq!(stream.arrived_end, stream.we_ended, "seed {seed}: the end of stream {id}");
            assert_eq!(wire.sender.stream_window(*id), Some(stream.window), "seed {seed}: stream {id}");
        }
        assert_eq!(wire.sender.windows().send, peer.window, "seed {seed}");
        assert_eq!(wire.sender.active(), peer.streams.len(), "seed {seed}");
    }
}
