//! What may happen in a history, as numbers that mean something whatever has happened before.

use fastrand::Rng;
use thalweg_http2::config::{Config, Limits};

/// Which end does it, or which way it goes: from this end to the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Client,
    Server,
}

/// How both ends are set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) stream_window: u32,
    pub(crate) connection_window: u32,
    pub(crate) max_write_buffer: usize,
    pub(crate) max_frame_size: u32,
    pub(crate) max_concurrent: u32,
    /// Windows grow by an estimate; otherwise SETTINGS make them smaller and larger at will.
    pub(crate) adapts: bool,
}

impl Setting {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        let mut one_of = |choices: &[u32]| choices[rng.usize(..choices.len())];
        Self {
            stream_window: one_of(&[1000, 65_535, 100_000, 1 << 20]),
            connection_window: one_of(&[65_535, 100_000, 1 << 20]),
            max_write_buffer: one_of(&[1, 4096, 20_000, 1 << 17]) as usize,
            max_frame_size: one_of(&[1 << 14, 1 << 17]),
            max_concurrent: one_of(&[1, 5, u32::MAX]),
            adapts: one_of(&[0, 1]) == 1,
        }
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            stream_window: self.stream_window,
            connection_window: self.connection_window,
            max_write_buffer: self.max_write_buffer,
            max_frame_size: self.max_frame_size,
            max_concurrent_streams: self.max_concurrent,
            adaptive_window: self.adapts.then_some(1 << 22),
            limits: Limits { settings: 10_000, ..Limits::default() },
            ..Config::default()
        }
    }
}

/// One step. `which` chooses among the streams that there are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    /// The client opens a stream.
    Open { bytes: usize, end: bool, metadata: u8 },
    /// An end sends data; the server its response headers before them.
    Send { side: Side, which: usize, bytes: usize, end: bool },
    /// The server ends a stream with trailers.
    Trailers { which: usize },
    /// The server sends a whole answer.
    Answer { which: usize, bytes: usize },
    /// An end gives a stream up.
    Reset { side: Side, which: usize },
    /// An end reads what has come on a stream.
    Read { side: Side, which: usize },
    /// An end stops or begins returning the connection's window.
    Withhold { side: Side, withhold: bool },
    /// An end changes the window of all its streams by SETTINGS, to this many thousandths of what it began with.
    Window { side: Side, thousandths: u32 },
    /// The server says that it goes away: in the first step, or for good.
    GoAway { last: bool },
    /// An end asks for an acknowledgement.
    Ping { side: Side },
    /// The writer takes what there is.
    Flush { side: Side },
    /// This many bytes arrive at the other end.
    Deliver { side: Side, bytes: usize },
}

impl Operation {
    pub(crate) fn any(rng: &mut Rng) -> Self {
        let side = if rng.bool() { Side::Client } else { Side::Server };
        let which = rng.usize(..1000);
        let bytes = size(rng);
        match rng.u8(..40) {
            0..=5 => Self::Open { bytes, end: rng.bool(), metadata: rng.u8(..8) },
            6..=11 => Self::Send { side, which, bytes, end: rng.u8(..4) == 0 },
            12..=13 => Self::Trailers { which },
            14..=15 => Self::Answer { which, bytes },
            16 => Self::Reset { side, which },
            17..=21 => Self::Read { side, which },
            22 => Self::Withhold { side, withhold: rng.bool() },
            23 => Self::Window { side, thousandths: if rng.bool() { 0 } else { rng.u32(..=1000) } },
            24 if rng.u8(..4) == 0 => Self::GoAway { last: rng.bool() },
            24..=25 => Self::Ping { side },
            26..=31 => Self::Flush { side },
            _ => Self::Deliver { side, bytes: if rng.bool() { usize::MAX } else { size(rng) } },
        }
    }
}

/// Any size, mostly small.
fn size(rng: &mut Rng) -> usize {
    let most = 1 << rng.u32(..18);
    rng.usize(..most)
}
