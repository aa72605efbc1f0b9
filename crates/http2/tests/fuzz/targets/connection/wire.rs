//! What we say, as a peer sees it that knows only frames: well-formed, in its place, within every window.

use std::collections::BTreeMap;

use thalweg_http2::{
    config::Role,
    flow::INITIAL,
    frame::{HEAD, Head, PREFACE, flags, kind},
    hpack::{DEFAULT_TABLE_SIZE, decoder::Decoder},
};

/// What the peer lets us do, by what was heard of it.
#[derive(Debug)]
pub(super) struct Allowed {
    /// Bytes on the connection.
    pub(super) connection: i64,
    /// Bytes on each stream beyond the window of a new one.
    pub(super) streams: BTreeMap<u32, i64>,
    /// The largest window that a new stream has had.
    pub(super) initial: u32,
    /// The largest frame that it has taken.
    pub(super) frame: u32,
}

impl Default for Allowed {
    fn default() -> Self {
        Self { connection: i64::from(INITIAL), streams: BTreeMap::new(), initial: INITIAL, frame: 1 << 14 }
    }
}

/// What we have said on a stream.
#[derive(Debug, Default)]
struct Said {
    bytes: i64,
    is_ended: bool,
    is_reset: bool,
}

#[derive(Debug)]
pub(super) struct Wire {
    role: Role,
    has_begun: bool,
    decoder: Decoder,
    /// A header block that is not whole: its stream and what there is.
    block: Option<(u32, Vec<u8>)>,
    streams: BTreeMap<u32, Said>,
    /// Bytes of data on all streams.
    bytes: i64,
    /// What the peer was told that it may send on the connection.
    pub(super) granted: u64,
    pub(super) settings_acks: usize,
    pub(super) pongs: u64,
    last_stream: u32,
}

impl Wire {
    pub(super) fn new(role: Role) -> Self {
        Self {
            role,
            has_begun: false,
            decoder: Decoder::new(DEFAULT_TABLE_SIZE),
            block: None,
            streams: BTreeMap::new(),
            bytes: 0,
            granted: 0,
            settings_acks: 0,
            pongs: 0,
            last_stream: u32::MAX,
        }
    }

    /// Looks at what was written, which is whole frames.
    pub(super) fn see(&mut self, mut bytes: &[u8], allowed: &Allowed) {
        if !self.has_begun && !bytes.is_empty() {
            self.has_begun = true;
            if self.role == Role::Client {
                bytes = bytes.strip_prefix(PREFACE).expect("a client begins with the preface");
            }
            assert_eq!(bytes[3], kind::SETTINGS, "the first frame");
        }
        while !bytes.is_empty() {
            let head = Head::parse(bytes);
            assert!(head.len <= allowed.frame as usize, "{head:?} is too large");
            self.frame(&head, &bytes[HEAD..HEAD + head.len], allowed);
            bytes = &bytes[HEAD + head.len..];
        }
    }

    fn frame(&mut self, head: &Head, payload: &[u8], allowed: &Allowed) {
        let continues = self.block.as_ref().map(|(stream, _)| *stream);
        assert_eq!(continues.is_some(), head.kind == kind::CONTINUATION, "{head:?} within a header block");
        match head.kind {
            kind::HEADERS => {
                let is_new = !self.streams.contains_key(&head.stream);
                let last = self.streams.last_key_value().map_or(0, |(last, _)| *last);
                assert!(
                    !is_new || self.role == Role::Server || head.stream > last,
                    "stream {} after {last}",
                    head.stream
                );
                self.say(head);
                self.block = Some((head.stream, payload.to_vec()));
                self.end_block(head);
            }
            kind::CONTINUATION => {
                assert_eq!(continues, Some(head.stream));
                self.block.as_mut().expect("it was looked at").1.extend_from_slice(payload);
                self.end_block(head);
            }
            kind::DATA => {
                assert!(self.streams.contains_key(&head.stream), "{head:?} before a head");
                self.say(head);
                self.spend(head, allowed);
            }
            kind::RST_STREAM => self.streams.entry(head.stream).or_default().is_reset = true,
            kind::WINDOW_UPDATE => {
                let increment = u32::from_be_bytes(payload.try_into().expect("it has four bytes"));
                assert!(increment > 0 && increment < 1 << 31, "{head:?}: {increment}");
                self.granted += if head.stream == 0 { u64::from(increment) } else { 0 };
            }
            kind::SETTINGS if head.has(flags::ACK) => self.settings_acks += 1,
            kind::PING if head.has(flags::ACK) => self.pongs += 1,
            kind::SETTINGS | kind::PING => {}
            kind::GOAWAY => {
                let last = u32::from_be_bytes([payload[0], payload[1], payload[2], payload[3]]);
                assert!(last <= self.last_stream, "GOAWAY: {last} after {}", self.last_stream);
                self.last_stream = last;
            }
            _ => panic!("{head:?}: nobody sends this"),
        }
    }

    /// A frame that belongs to what is said on a stream.
    fn say(&mut self, head: &Head) {
        let said = self.streams.entry(head.stream).or_default();
        assert!(!said.is_ended && !said.is_reset, "{head:?} after the end");
        said.is_ended = head.has(flags::END_STREAM);
    }

    fn end_block(&mut self, head: &Head) {
        if head.has(flags::END_HEADERS)
            && let Some((_, block)) = self.block.take()
        {
            self.decoder.decode(&block, &mut |_, _| {}).expect("the states of HPACK are equal");
        }
    }

    fn spend(&mut self, head: &Head, allowed: &Allowed) {
        let len = head.len as i64;
        self.bytes += len;
        assert!(len == 0 || self.bytes <= allowed.connection, "{head:?}: {} of {allowed:?}", self.bytes);
        let said = self.streams.entry(head.stream).or_default();
        said.bytes += len;
        let widened = allowed.streams.get(&head.stream).copied().unwrap_or(0);
        let window = i64::from(allowed.initial) + widened;
        assert!(len == 0 || said.bytes <= window, "{head:?}: {} of {allowed:?}", said.bytes);
    }
}
