//! Tests of the sender, by what the peer gets to see of it.

mod answering;
mod applying;
mod ending;
mod opening;
mod random;
mod scheduling;

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, uri::PathAndQuery};

use super::{Outgoing, Refused, RequestHead, Sender};
use crate::{
    config::{Config, Role},
    error::{Code, Violation},
    exchange::{Effects, News},
    frame::{HEAD, Head, PREFACE, flags, go_away, kind, ping, reset, settings, settings::Settings, window_update},
    hpack::{decoder::Decoder, field::Field},
};

/// A frame as the peer sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Seen {
    Headers { stream: u32, fields: usize, end: bool },
    Data { stream: u32, bytes: Vec<u8>, end: bool },
    Reset(u32, Code),
    Settings(Settings),
    SettingsAck,
    Ping([u8; 8]),
    Pong([u8; 8]),
    GoAway(u32, Code, String),
    Window(u32, u32),
}

fn headers(stream: u32, fields: usize, end: bool) -> Seen {
    Seen::Headers { stream, fields, end }
}

fn data(stream: u32, bytes: &[u8], end: bool) -> Seen {
    Seen::Data { stream, bytes: bytes.to_vec(), end }
}

/// A sender, whose streams' handles are their ids, and what reads it.
struct Wire {
    sender: Sender<u32>,
    out: Outgoing,
    decoder: Decoder,
    preface: bool,
}

impl Wire {
    /// A connection whose first bytes are written.
    fn new(role: Role, config: &Config) -> Self {
        let mut wire = Self {
            sender: Sender::new(role, config),
            out: Outgoing::default(),
            decoder: Decoder::new(4096),
            preface: role == Role::Client,
        };
        wire.read();
        wire.news();
        wire
    }

    fn client() -> Self {
        Self::new(Role::Client, &Config::default())
    }

    fn server() -> Self {
        Self::new(Role::Server, &Config::default())
    }

    /// Everything that the writer gets in one go.
    fn read(&mut self) -> Vec<Seen> {
        self.sender.take(&mut self.out);
        let mut bytes = self.out.copy_to_bytes(self.out.remaining());
        if std::mem::take(&mut self.preface) {
            assert_eq!(bytes.split_to(PREFACE.len()), PREFACE);
        }
        let mut frames = Vec::new();
        let mut block = Vec::new();
        let mut open = None;
        while bytes.has_remaining() {
            let head = Head::parse(&bytes.split_to(HEAD));
            let payload = bytes.split_to(head.len);
            match head.kind {
                kind::HEADERS | kind::CONTINUATION => {
                    block.extend_from_slice(&payload);
                    let end = *open.get_or_insert_with(|| head.has(flags::END_STREAM));
                    if head.has(flags::END_HEADERS) {
                        let mut fields = 0;
                        self.decoder.decode(&block, &mut |_: &Field, _| fields += 1).unwrap();
                        frames.push(headers(head.stream, fields, end));
                        (open, block) = (None, Vec::new());
                    }
                }
                _ => frames.push(see(&head, &payload)),
            }
        }
        frames
    }

    /// The fields, other than pseudo-header fields and `content-type`, of all that the writer gets in one go.
    fn read_fields(&mut self) -> Vec<(String, String)> {
        self.sender.take(&mut self.out);
        let mut bytes = self.out.copy_to_bytes(self.out.remaining());
        let mut fields = Vec::new();
        while bytes.has_remaining() {
            let head = Head::parse(&bytes.split_to(HEAD));
            let block = bytes.split_to(head.len);
            let each = &mut |field: &Field, _| match field {
                Field::Header(name, value) => {
                    fields.push((name.to_string(), value.to_str().unwrap().to_owned()));
                }
                Field::GrpcStatus(status) => fields.push(("grpc-status".to_owned(), status.to_string())),
                _ => {}
            };
            self.decoder.decode(&block, each).unwrap();
        }
        fields
    }

    /// All that can be written, and who was told that nothing of theirs waits any more.
    fn read_all(&mut self) -> (Vec<Seen>, Vec<u32>) {
        let mut frames = Vec::new();
        while self.sender.wants_write() {
            frames.extend(self.read());
        }
        (frames, std::mem::take(self.sender.drained()))
    }

    fn news(&mut self) -> News<u32> {
        let mut news = News::default();
        self.sender.news(&mut news);
        news
    }

    fn open(&mut self, first: Option<Bytes>, end: bool) -> Result<u32, Refused> {
        self.open_with(&HeaderMap::new(), first, end)
    }

    fn open_with(&mut self, metadata: &HeaderMap, first: Option<Bytes>, end: bool) -> Result<u32, Refused> {
        let head = RequestHead {
            path: &PathAndQuery::from_static("/echo.Echo/Say"),
            https: false,
            authority: "example.com",
            timeout: None,
            user_agent: &HeaderValue::from_static("thalweg"),
            metadata,
        };
        self.sender.open(&head, &mut { first }, end, |id| id)
    }

    /// Streams that the peer has opened; the sender learns of them.
    fn accept(&mut self, ids: &[u32]) {
        self.apply(|effects| effects.accepted.extend(ids)).unwrap();
    }

    fn apply(&mut self, fill: impl FnOnce(&mut Effects)) -> Result<(), Violation> {
        let mut effects = Effects::default();
        fill(&mut effects);
        self.sender.apply(&mut effects)
    }

    fn settings(&mut self, settings: Settings) -> Result<(), Violation> {
        self.apply(|effects| effects.settings.push(settings))
    }

    fn windows(&mut self, windows: &[(u32, u32)]) -> Result<(), Violation> {
        self.apply(|effects| effects.windows.extend(windows))
    }
}

fn see(head: &Head, payload: &[u8]) -> Seen {
    match head.kind {
        kind::DATA => data(head.stream, payload, head.has(flags::END_STREAM)),
        kind::RST_STREAM => Seen::Reset(head.stream, reset::parse(head, payload).unwrap()),
        kind::SETTINGS => settings::parse(head, payload).unwrap().map_or(Seen::SettingsAck, Seen::Settings),
        kind::PING => match ping::parse(head, payload).unwrap() {
            ping::Ping { ack: true, payload } => Seen::Pong(payload),
            ping::Ping { ack: false, payload } => Seen::Ping(payload),
        },
        kind::GOAWAY => {
            let go_away = go_away::parse(head, payload).unwrap();
            Seen::GoAway(go_away.last_stream, go_away.code, String::from_utf8(go_away.debug.to_vec()).unwrap())
        }
        kind::WINDOW_UPDATE => Seen::Window(head.stream, window_update::parse(head, payload).unwrap()),
        other => panic!("a frame of kind {other}"),
    }
}

/// A message of `len` bytes with its prefix.
fn message(len: usize) -> Bytes {
    let mut bytes = vec![0];
    bytes.extend((len as u32).to_be_bytes());
    bytes.extend((0..len).map(|at| (at % 251) as u8));
    bytes.into()
}

/// The bytes of data of a stream, in their order, and whether they end it.
fn body(frames: &[Seen], id: u32) -> (Vec<u8>, bool) {
    let (mut body, mut ended) = (Vec::new(), false);
    for frame in frames {
        if let Seen::Data { stream, bytes, end } = frame
            && *stream == id
        {
            assert!(!ended, "data after the end of stream {id}");
            body.extend_from_slice(bytes);
            ended = *end;
        }
    }
    (body, ended)
}

/// The streams of DATA frames, in their order.
fn turns(frames: &[Seen]) -> Vec<u32> {
    let turns = frames.iter().filter_map(|frame| match frame {
        Seen::Data { stream, .. } => Some(*stream),
        _ => None,
    });
    turns.collect()
}
