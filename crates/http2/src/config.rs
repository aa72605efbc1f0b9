//! What a connection is set up with: our SETTINGS (RFC 9113 section 6.5.2) and the limits for hostile peers.

/// Which side of a connection this is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Opens streams with odd ids.
    Client,
    /// Answers them.
    Server,
}

/// How one end of a connection behaves. Sizes in bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// SETTINGS_INITIAL_WINDOW_SIZE that we announce: what the peer may send on a stream before it is read.
    pub stream_window: u32,
    /// What the peer may have under way on all streams together.
    pub connection_window: u32,
    /// SETTINGS_MAX_FRAME_SIZE that we announce.
    pub max_frame_size: u32,
    /// SETTINGS_MAX_HEADER_LIST_SIZE that we announce. A longer list is cut and its stream told so; one of four times the
    /// size ends the connection.
    pub max_header_list_size: u32,
    /// SETTINGS_MAX_CONCURRENT_STREAMS that a server announces.
    pub max_concurrent_streams: u32,
    /// What may wait in the write buffer, ready for the socket, before streams have to wait with their data.
    pub max_write_buffer: usize,
    /// What all streams together may hold that waits for the peer's windows. More ends the connection.
    pub max_stalled: usize,
    /// The largest window that the bandwidth-delay estimate may set; `None`: windows stay as they are.
    pub adaptive_window: Option<u32>,
    /// Limits for hostile peers.
    pub limits: Limits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            stream_window: 512 << 10,
            connection_window: 1 << 20,
            max_frame_size: 1 << 14,
            max_header_list_size: 64 << 10,
            max_concurrent_streams: u32::MAX,
            max_write_buffer: 128 << 10,
            max_stalled: 256 << 20,
            adaptive_window: None,
            limits: Limits::default(),
        }
    }
}

/// A DATA frame with less than these bytes is mostly its own head.
pub const TINY: usize = 64;

/// How much useless work a peer may make before the connection ends with ENHANCE_YOUR_CALM. Each is an allowance: it is
/// used up by the frames that it names and given back by useful ones, and in part by time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Streams that the peer opens and resets before we have begun with them (CVE-2023-44487). Each stream that ends
    /// well, and each millisecond, gives one back.
    pub early_resets: u32,
    /// All other streams that the peer resets. Each stream that ends well, and each millisecond, gives one back.
    pub resets: u32,
    /// Streams that we reset for the peer's violations, and frames for streams that are gone (CVE-2025-8671). A tenth of a
    /// second gives one back.
    pub stream_errors: u32,
    /// CONTINUATION frames of one header block (CVE-2024-27316); more, if lists of headers may be so large.
    pub continuations: u32,
    /// SETTINGS (CVE-2019-9515). A tenth of a second gives one back.
    pub settings: u32,
    /// PING and PRIORITY frames, unknown frames and empty DATA frames (CVE-2019-9512, CVE-2019-9518). Each head, each DATA
    /// frame that is not tiny or ends a message, and each millisecond gives one back. Frames for streams that are over
    /// count too, beyond what may have been under way when we gave them up; but not their data, of which that may be any
    /// number of frames, and which cost us less than those of a stream that is read.
    pub idle_frames: u32,
    /// DATA frames of fewer than [`TINY`] bytes that end neither a gRPC message nor their stream. Each message that comes,
    /// each WINDOW_UPDATE that we send, and each millisecond gives one back.
    pub tiny_data: u32,
    /// WINDOW_UPDATE frames. Each DATA frame that we send gives four back, each millisecond one.
    pub window_updates: u32,
    /// Bytes of answers (acknowledgements, resets) that wait because the peer does not read (CVE-2019-9517).
    pub unsent_answers: usize,
    /// Bytes of heads and trailers that wait, beyond [`Config::max_write_buffer`], because the peer does not read. A client
    /// opens no more streams until it does; a server, which has nobody to hold up, ends the connection.
    pub unsent_heads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            early_resets: 1_000,
            resets: 10_000,
            stream_errors: 1_000,
            continuations: 64,
            settings: 100,
            idle_frames: 10_000,
            tiny_data: 10_000,
            window_updates: 10_000,
            unsent_answers: 256 << 10,
            unsent_heads: 4 << 20,
        }
    }
}
