//! Sessions made up at random: what both ends say, in which order, and how they are set up. Everything is decided before
//! anything is played, so that different implementations can play the same.

use fastrand::Rng;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Who says something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Client,
    Server,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) calls: Vec<Call>,
    pub(crate) client: Setup,
    pub(crate) server: Setup,
    /// Bytes that fit between the two ends, each way.
    pub(crate) pipe: usize,
    /// How often the client asks whether the server is there.
    pub(crate) pings: u32,
    /// The server says GOAWAY with this code: as soon as all calls have come if it is 0, else when all are over.
    pub(crate) goodbye: Option<u32>,
}

/// How one end is set up. Sizes in bytes.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) stream_window: u32,
    pub(crate) connection_window: u32,
    pub(crate) max_frame_size: u32,
    pub(crate) max_concurrent: u32,
    pub(crate) max_write_buffer: usize,
    pub(crate) adapts: bool,
    /// The table for the peer's encoder, by SETTINGS before the first and after each call of so many.
    pub(crate) tables: Vec<u32>,
    /// The window of a stream, by SETTINGS likewise.
    pub(crate) windows: Vec<u32>,
}

/// One call. Each step waits until everything before it has been heard.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) path: String,
    pub(crate) metadata: HeaderMap,
    /// Nothing follows the head of the request.
    pub(crate) ends: bool,
    pub(crate) steps: Vec<Step>,
    /// What can be said at once is said at once.
    pub(crate) joined: bool,
    /// An interim response precedes the head, if whoever answers can say one.
    pub(crate) interim: bool,
}

/// What is said on a call after the head of its request.
#[derive(Debug)]
pub(crate) enum Step {
    /// The head of the response; `end`: all of it.
    Head { status: u16, headers: HeaderMap, end: bool },
    /// Bytes of the body; `end`: the last.
    Data { side: Side, len: usize, end: bool },
    /// The end of the response.
    Trailers(HeaderMap),
    /// The stream is given up.
    Reset(Side, u32),
}

impl Step {
    pub(crate) fn side(&self) -> Side {
        match self {
            Self::Head { .. } | Self::Trailers(_) => Side::Server,
            Self::Data { side, .. } | Self::Reset(side, _) => *side,
        }
    }
}

/// What a session is like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// Anything.
    Any,
    /// Many calls with many fields and little data.
    Wordy,
    /// Few calls with little data.
    Short,
}

impl Session {
    pub(crate) fn any(seed: u64, kind: Kind) -> Self {
        let mut rng = Rng::with_seed(seed);
        let calls = match kind {
            Kind::Any => 1..12,
            Kind::Wordy => 20..40,
            Kind::Short => 1..4,
        };
        let calls = 0..rng.usize(calls);
        let pipe = one_of(&mut rng, &[100, 5000, 70_000, 1 << 20]);
        // What takes a thousand turns to get through is kept short.
        let most = if kind == Kind::Any { pipe * 200 } else { 60 };
        let calls = calls.map(|number| Call::any(&mut rng, number, kind, most)).collect();
        Self {
            calls,
            client: Setup::any(&mut rng, kind),
            server: Setup::any(&mut rng, kind),
            pipe,
            pings: rng.u32(..3),
            goodbye: one_of(&mut rng, &[None, None, Some(0), Some(2), Some(11), Some(77)]),
        }
    }

    pub(crate) fn setup(&self, side: Side) -> &Setup {
        if side == Side::Client { &self.client } else { &self.server }
    }
}

impl Setup {
    /// The window that `h2` announces after a call. It only grows: when `h2` takes some of a window back, it can forget to
    /// return what was read before, and the stream stands still for ever.
    pub(crate) fn wider(&self, number: usize) -> Option<u32> {
        let windows = self.windows.get(..=number)?;
        windows.iter().copied().max().map(|size| size.max(self.stream_window))
    }

    fn any(rng: &mut Rng, kind: Kind) -> Self {
        let tables = if kind == Kind::Short { 0..1 } else { 0..4 };
        Self {
            stream_window: one_of(rng, &[1000, 65_535, 100_000, 1 << 20]),
            connection_window: one_of(rng, &[65_535, 100_000, 1 << 20]),
            max_frame_size: one_of(rng, &[1 << 14, 1 << 17]),
            max_concurrent: one_of(rng, &[1, 3, 1000]),
            max_write_buffer: one_of(rng, &[1, 4096, 20_000, 1 << 17]),
            adapts: rng.bool(),
            tables: (0..rng.usize(tables)).map(|_| one_of(rng, &[0, 40, 300, 2000, 4096])).collect(),
            windows: (0..rng.usize(..4)).map(|_| one_of(rng, &[1000, 65_535, 100_000, 1 << 20])).collect(),
        }
    }
}

impl Call {
    fn any(rng: &mut Rng, number: usize, kind: Kind, most: usize) -> Self {
        let ends = rng.u8(..4) == 0;
        let mut dialogue = Dialogue { rng, steps: vec![], most, kind, is_asking: !ends, is_answering: false };
        dialogue.speak();
        let steps = dialogue.steps;
        let mut metadata = fields(rng, kind);
        metadata.insert("x-call", HeaderValue::from(number));
        metadata.insert("te", HeaderValue::from_static("trailers"));
        metadata.insert("user-agent", HeaderValue::from_static("differential/1.0"));
        metadata.insert("content-type", content_type(rng));
        if rng.u8(..3) == 0 {
            metadata.insert("grpc-timeout", one_of(rng, &["1H", "20S", "99999999n"]).parse().expect("it is a value"));
        }
        if rng.u8(..5) == 0
            && let Some(length) = length(&steps, Side::Client)
        {
            metadata.insert("content-length", HeaderValue::from(if ends { 0 } else { length }));
        }
        let path = match rng.u8(..8) {
            0 => format!("/a.Service/Method{}?query={}", rng.u8(..), rng.u8(..)),
            1 => "/".to_owned(),
            _ => format!("/a.Service/Method{}", rng.u8(..3)),
        };
        Self { path, metadata, ends, steps, joined: rng.bool(), interim: rng.u8(..4) == 0 }
    }
}

/// All that a side says, if it comes to its end.
fn length(steps: &[Step], side: Side) -> Option<usize> {
    let ends = |step: &Step| matches!(step, Step::Data { side: of, end: true, .. } if *of == side);
    let is_whole = steps.iter().any(ends) && !steps.iter().any(|step| matches!(step, Step::Reset(..)));
    let len = |step: &Step| {
        if let Step::Data { side: of, len, .. } = step
            && *of == side
        {
            *len
        } else {
            0
        }
    };
    is_whole.then(|| steps.iter().map(len).sum())
}

/// What is said on a call, as far as it has been made up.
struct Dialogue<'a> {
    rng: &'a mut Rng,
    steps: Vec<Step>,
    /// Bytes of data at once.
    most: usize,
    kind: Kind,
    /// The client has not ended its side.
    is_asking: bool,
    /// The server has sent the head.
    is_answering: bool,
}

impl Dialogue<'_> {
    fn speak(&mut self) {
        for _ in 0..self.rng.usize(..8) {
            match self.rng.u8(..4) {
                0 | 1 if self.is_asking => {
                    let end = self.rng.u8(..5) == 0;
                    self.data(Side::Client, end);
                }
                2 | 3 if self.is_answering => self.data(Side::Server, false),
                2 => self.head(false),
                _ => {}
            }
        }
        match self.rng.u8(..6) {
            0 => self.reset(Side::Client),
            1 => self.reset(Side::Server),
            _ => {}
        }
        if !matches!(self.steps.last(), Some(Step::Reset(..))) {
            self.end();
        }
    }

    fn data(&mut self, side: Side, end: bool) {
        let len = size(self.rng, self.most);
        self.steps.push(Step::Data { side, len, end });
        if side == Side::Client && len == 0 && !end {
            // Nobody waits for nothing: the server could have ended the stream before.
            self.steps.push(Step::Data { side, len: 1, end });
        }
        self.is_asking &= !(end && side == Side::Client);
    }

    fn head(&mut self, end: bool) {
        let status = if self.rng.u8(..6) == 0 { one_of(self.rng, &[404, 503, 299]) } else { 200 };
        let mut headers = fields(self.rng, self.kind);
        headers.insert("content-type", content_type(self.rng));
        self.is_answering = true;
        self.steps.push(Step::Head { status, headers, end });
    }

    /// Whoever gives up has heard something last, by which it knows that all it said was heard: a reset overtakes data.
    fn reset(&mut self, side: Side) {
        let has_heard_last = match self.steps.last() {
            None => side == Side::Server,
            Some(Step::Data { len: 0, .. }) => false,
            Some(step) => step.side() != side,
        };
        if !has_heard_last {
            match side {
                Side::Client if !self.is_answering => self.head(false),
                Side::Client => self.steps.push(Step::Data { side: Side::Server, len: 7, end: false }),
                Side::Server if self.is_asking => {
                    self.steps.push(Step::Data { side: Side::Client, len: 7, end: false });
                }
                Side::Server => return,
            }
        }
        let code = one_of(self.rng, &[1, 2, 7, 8, 11, 0xdead]);
        self.steps.push(Step::Reset(side, code));
    }

    fn end(&mut self) {
        if self.is_asking && self.rng.u8(..4) != 0 {
            self.data(Side::Client, true);
        }
        match self.rng.u8(..4) {
            0 if !self.is_answering => return self.head(true),
            _ if !self.is_answering => self.head(false),
            1 => return self.data(Side::Server, true),
            _ => {}
        }
        if self.rng.bool() {
            self.data(Side::Server, false);
        }
        let mut trailers = if self.rng.u8(..4) == 0 { fields(self.rng, self.kind) } else { HeaderMap::new() };
        trailers.insert("grpc-status", one_of(self.rng, &["0", "0", "0", "5", "16", "17", "007"]).parse().expect("ok"));
        self.steps.push(Step::Trailers(trailers));
    }
}

fn one_of<T: Copy>(rng: &mut Rng, choices: &[T]) -> T {
    choices[rng.usize(..choices.len())]
}

/// Sizes around those where something changes, mostly small.
fn size(rng: &mut Rng, most: usize) -> usize {
    let size = match rng.u8(..8) {
        0 => 0,
        1 => 1,
        2 => rng.usize(4090..4100),
        3 => rng.usize(16_380..16_390),
        4 => rng.usize(..200_000),
        _ => rng.usize(..600),
    };
    size.min(most)
}

fn content_type(rng: &mut Rng) -> HeaderValue {
    HeaderValue::from_static(one_of(rng, &["application/grpc", "application/grpc", "application/grpc+proto"]))
}

/// Any fields. Some come again and again, some only once.
fn fields(rng: &mut Rng, kind: Kind) -> HeaderMap {
    const NAMES: [&str; 8] = [
        "x-a",
        "accept-encoding",
        "x-trace-bin",
        "cookie",
        "grpc-message",
        "authorization",
        "via",
        "x-long-name-of-a-field",
    ];
    let mut fields = HeaderMap::new();
    let most = if kind == Kind::Wordy { 12 } else { 4 };
    for _ in 0..rng.usize(..most) {
        let name = if rng.u8(..8) == 0 {
            let name = format!("x-{}", rng.u32(..));
            HeaderName::from_bytes(name.as_bytes()).expect("it is a name")
        } else {
            HeaderName::from_static(one_of(rng, &NAMES))
        };
        fields.append(name, value(rng));
    }
    fields
}

fn value(rng: &mut Rng) -> HeaderValue {
    let len = match rng.u16(..300) {
        // Larger than a frame.
        0 => 20_000,
        1..5 => rng.usize(..5000),
        5..20 => 0,
        _ => rng.usize(..40),
    };
    let bytes: Vec<u8> = match rng.u8(..4) {
        0 => {
            return HeaderValue::from_static(one_of(
                rng,
                &["gzip", "identity", "", "a=b; c=d", "Bearer 0123456789abcdef"],
            ));
        }
        1 => (0..len).map(|_| rng.u8(0x80..)).collect(),
        _ => (0..len).map(|_| rng.u8(b'!'..=b'~')).collect(),
    };
    let mut value = HeaderValue::from_bytes(&bytes).expect("all bytes are allowed");
    value.set_sensitive(rng.u8(..8) == 0);
    value
}
