//! SETTINGS (RFC 9113 section 6.5): what an endpoint asks of its peer.

use super::{Head, flags, kind};
use crate::error::{Code, Fault};

/// The largest window that there can be (section 6.9.1).
const MAX_WINDOW: u32 = u32::MAX >> 1;
/// SETTINGS_MAX_FRAME_SIZE before anything is said of it, in bytes.
pub const DEFAULT_MAX_FRAME_SIZE: u32 = 1 << 14;
/// What SETTINGS_MAX_FRAME_SIZE may be.
const FRAME_SIZES: std::ops::RangeInclusive<u32> = DEFAULT_MAX_FRAME_SIZE..=(1 << 24) - 1;

/// The parameters of one frame; `None`: not mentioned. Of a parameter that comes twice, the later value counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// SETTINGS_HEADER_TABLE_SIZE: bytes that the dynamic table of the other side's encoder may take.
    pub header_table_size: Option<u32>,
    /// The least SETTINGS_HEADER_TABLE_SIZE if one frame has several: an encoder has to tell of it (RFC 7541 section 4.2).
    pub least_table_size: Option<u32>,
    /// SETTINGS_ENABLE_PUSH.
    pub enable_push: Option<bool>,
    /// SETTINGS_MAX_CONCURRENT_STREAMS.
    pub max_concurrent_streams: Option<u32>,
    /// SETTINGS_INITIAL_WINDOW_SIZE, in bytes; below 2^31.
    pub initial_window_size: Option<u32>,
    /// SETTINGS_MAX_FRAME_SIZE: bytes of payload; 2^14 to 2^24 - 1.
    pub max_frame_size: Option<u32>,
    /// SETTINGS_MAX_HEADER_LIST_SIZE, in bytes as of section 10.5.1.
    pub max_header_list_size: Option<u32>,
}

/// Reads a frame; `None` is the acknowledgement of ours.
///
/// # Errors
/// A frame with a stream or of a wrong size, and values out of range.
pub fn parse(head: &Head, payload: &[u8]) -> Result<Option<Settings>, Fault> {
    head.on_the_connection()?;
    if head.has(flags::ACK) {
        return head.exactly::<0>(payload).map(|_| None);
    }
    let (parameters, []) = payload.as_chunks::<6>() else {
        let rule = format!("{} bytes of payload are no multiple of 6", payload.len());
        return Err(head.offence(Code::FRAME_SIZE_ERROR, &rule));
    };
    let mut settings = Settings::default();
    for [i0, i1, v0, v1, v2, v3] in parameters {
        let value = u32::from_be_bytes([*v0, *v1, *v2, *v3]);
        settings.set(u16::from_be_bytes([*i0, *i1]), value).map_err(|(code, rule)| head.offence(code, &rule))?;
    }
    Ok(Some(settings))
}

impl Settings {
    /// Takes over one parameter. Unknown ones are ignored (section 6.5.2).
    fn set(&mut self, id: u16, value: u32) -> Result<(), (Code, String)> {
        match id {
            1 => {
                let before = self.least_table_size.or(self.header_table_size);
                self.least_table_size = before.map(|before| before.min(value));
                self.header_table_size = Some(value);
            }
            2 if value > 1 => {
                return Err((Code::PROTOCOL_ERROR, format!("SETTINGS_ENABLE_PUSH is {value}, neither 0 nor 1")));
            }
            2 => self.enable_push = Some(value == 1),
            3 => self.max_concurrent_streams = Some(value),
            4 if value > MAX_WINDOW => {
                let rule = format!("SETTINGS_INITIAL_WINDOW_SIZE is {value}, above 2^31-1");
                return Err((Code::FLOW_CONTROL_ERROR, rule));
            }
            4 => self.initial_window_size = Some(value),
            5 if !FRAME_SIZES.contains(&value) => {
                let rule = format!("SETTINGS_MAX_FRAME_SIZE is {value}, not within 2^14 and 2^24-1");
                return Err((Code::PROTOCOL_ERROR, rule));
            }
            5 => self.max_frame_size = Some(value),
            6 => self.max_header_list_size = Some(value),
            _ => {}
        }
        Ok(())
    }

    /// Appends a frame with all parameters that are set.
    pub fn write(&self, out: &mut Vec<u8>) {
        let parameters = [
            (1, self.header_table_size),
            (2, self.enable_push.map(u32::from)),
            (3, self.max_concurrent_streams),
            (4, self.initial_window_size),
            (5, self.max_frame_size),
            (6, self.max_header_list_size),
        ];
        let set = parameters.into_iter().filter_map(|(id, value)| Some((id, value?)));
        Head { len: 6 * set.clone().count(), kind: kind::SETTINGS, flags: 0, stream: 0 }.write(out);
        for (id, value) in set {
            out.extend_from_slice(&u16::to_be_bytes(id));
            out.extend_from_slice(&value.to_be_bytes());
        }
    }
}

/// Appends the acknowledgement of the peer's frame.
pub fn write_ack(out: &mut Vec<u8>) {
    Head { len: 0, kind: kind::SETTINGS, flags: flags::ACK, stream: 0 }.write(out);
}
