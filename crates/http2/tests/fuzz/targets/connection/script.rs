//! What an input means: the setting, what callers do, and what the peer says.
//!
//! The first byte is the setting, a bit each. The second says how many operations follow, 63 at most, a byte each: its low
//! half is what is done, its high half how. All the rest is what the peer says: bytes as they are, or short forms of frames.

use thalweg_http2::{
    config::{Config, Limits, Role},
    frame::{Head, PREFACE, settings::Settings},
};

pub(super) struct Script<'a> {
    pub(super) config: Config,
    pub(super) operations: &'a [u8],
    pub(super) bytes: Vec<u8>,
}

impl<'a> Script<'a> {
    pub(super) fn parse(role: Role, input: &'a [u8]) -> Self {
        let [setting, count, rest @ ..] = input else {
            return Self { config: config(0), operations: &[], bytes: vec![] };
        };
        let (operations, said) = rest.split_at(usize::from(*count & 63).min(rest.len()));
        let bytes = if setting & 1 == 0 { said.to_vec() } else { spell_out(role, said) };
        Self { config: config(*setting), operations, bytes }
    }
}

fn config(setting: u8) -> Config {
    let few = Limits {
        early_resets: 5,
        resets: 5,
        stream_errors: 5,
        continuations: 5,
        settings: 5,
        idle_frames: 20,
        tiny_data: 20,
        window_updates: 20,
        unsent_answers: 500,
        unsent_heads: 500,
    };
    let is = |bit: u8| setting & 1 << bit != 0;
    Config {
        stream_window: if is(1) { 1000 } else { 100_000 },
        connection_window: if is(1) { 65_535 } else { 200_000 },
        adaptive_window: is(2).then_some(1 << 24),
        max_write_buffer: if is(3) { 100 } else { 128 << 10 },
        max_concurrent_streams: if is(4) { 2 } else { u32::MAX },
        max_header_list_size: if is(5) { 300 } else { 16 << 10 },
        max_frame_size: if is(6) { 1 << 20 } else { 1 << 14 },
        max_stalled: 100_000,
        limits: if is(7) { few } else { Limits::default() },
    }
}

/// Spells out a good beginning and then short forms: kind, flags, stream, the length of the payload, the payload. A length
/// from 128 on counts in steps of 256 bytes, which are zeros.
fn spell_out(role: Role, mut said: &[u8]) -> Vec<u8> {
    let mut bytes = if role == Role::Server { PREFACE.to_vec() } else { vec![] };
    Settings::default().write(&mut bytes);
    while let [kind, flags, stream, len, rest @ ..] = said {
        let head = |len| Head { len, kind: *kind, flags: *flags, stream: u32::from(*stream) };
        if let Some(steps) = len.checked_sub(128) {
            let len = usize::from(steps) * 256;
            head(len).write(&mut bytes);
            bytes.resize(bytes.len() + len, 0);
            said = rest;
        } else {
            let (payload, rest) = rest.split_at(usize::from(*len).min(rest.len()));
            head(payload.len()).write(&mut bytes);
            bytes.extend_from_slice(payload);
            said = rest;
        }
    }
    bytes
}
