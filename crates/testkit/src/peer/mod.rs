//! A scripted HTTP/2 peer, client or server: a test that uses it reads as a transcript of the connection.
//!
//! ```
//! # use thalweg_testkit::peer::Peer;
//! # async fn script(mut peer: Peer) {
//! peer.expect_preface().await;
//! peer.send_settings(&[]).await;
//! let call = peer.expect_headers().await;
//! assert_eq!(call.headers.get(":path"), Some("/pkg.Greeter/SayHello"));
//! peer.send_headers(call.stream, &[(":status", "200"), ("content-type", "application/grpc")]).await;
//! peer.send_message(call.stream, b"hello").await;
//! peer.send_trailers(call.stream, &[("grpc-status", "0")]).await;
//! peer.go_away(call.stream, 0, "bye").await;
//! # }
//! ```
//!
//! Whatever doesn't go by the script panics, and prints the transcript so far. SETTINGS and PING are answered, and DATA
//! is credited, when the script reads past them, unless it is told not to ([`Peer::mute`], [`Peer::withhold_credit`]).
//! Frames of other streams than the one that the script waits for are kept until it asks for them.

#[cfg(test)]
mod tests;

mod expect;
mod send;

mod event;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    time::Duration,
};

use bytes::BytesMut;
use thalweg::io::{BoxIo, Io};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::wire::{
    frame::{ACK, END_HEADERS, Frame, Kind},
    hpack::Decoder,
};

use event::Event;
pub use event::{Data, GoAway, Head};

/// How long a script waits for what it expects.
const PATIENCE: Duration = Duration::from_secs(60);

/// The scripted end of a connection.
pub struct Peer {
    io: BoxIo,
    inbox: BytesMut,
    decoder: Decoder,
    /// What came and was not asked for yet.
    kept: VecDeque<Event>,
    /// Bytes of messages that are not complete, by stream.
    partial: BTreeMap<u32, BytesMut>,
    /// The streams that the other end has ended, as far as the script has read.
    ended: BTreeSet<u32>,
    next_stream: u32,
    is_mute: bool,
    credits: bool,
    patience: Duration,
    transcript: Vec<String>,
}

impl Peer {
    /// The script's end of `io`. The first stream it opens, if it opens any, is 1.
    #[must_use]
    pub fn new(io: impl Io) -> Self {
        Self {
            io: Box::new(io),
            inbox: BytesMut::new(),
            decoder: Decoder::default(),
            kept: VecDeque::new(),
            partial: BTreeMap::new(),
            ended: BTreeSet::new(),
            next_stream: 1,
            is_mute: false,
            credits: true,
            patience: PATIENCE,
            transcript: Vec::new(),
        }
    }

    /// No longer answers SETTINGS and PING.
    pub fn mute(&mut self) {
        self.is_mute = true;
    }

    /// No longer gives flow-control credit for the DATA that it reads.
    pub fn withhold_credit(&mut self) {
        self.credits = false;
    }

    /// Waits this long for what it expects (60 s at first), in the test's time.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// What was sent (`>`) and received (`<`) so far.
    #[must_use]
    pub fn transcript(&self) -> &[String] {
        &self.transcript
    }

    /// Reads whatever comes and answers nothing, until the connection ends.
    pub async fn silence(&mut self) {
        self.is_mute = true;
        while !matches!(self.read_event().await, Event::Closed(_)) {}
    }

    /// Ends the connection.
    pub async fn close(mut self) {
        // An error says that it has ended already.
        let _ = self.io.shutdown().await;
    }

    /// The next event, answered if it wants an answer.
    async fn read_event(&mut self) -> Event {
        let event = match self.read_frame().await {
            Ok(frame) => self.interpret(frame).await,
            Err(error) => Event::Closed(error.map_or_else(|| "end".to_owned(), |error| error.to_string())),
        };
        self.transcript.push(format!("< {event:?}"));
        match &event {
            Event::Settings(_) if !self.is_mute => self.send(&Frame::new(Kind::Settings, ACK, 0, "")).await,
            Event::Ping(data) if !self.is_mute => self.send(&Frame::new(Kind::Ping, ACK, 0, data.to_vec())).await,
            _ => {}
        }
        event
    }

    /// The next frame; an error, or `None` at the end.
    async fn read_frame(&mut self) -> Result<Frame, Option<std::io::Error>> {
        loop {
            if let Some(frame) = Frame::decode(&mut self.inbox) {
                return Ok(frame);
            }
            if self.io.read_buf(&mut self.inbox).await.map_err(Some)? == 0 {
                return Err(None);
            }
        }
    }

    async fn interpret(&mut self, frame: Frame) -> Event {
        if frame.kind != Kind::Headers {
            return Event::of(frame);
        }
        let Some(mut block) = frame.content().map(BytesMut::from) else { self.fail("malformed HEADERS") };
        let mut last = frame.clone();
        while !last.has(END_HEADERS) {
            last = match self.read_frame().await {
                Ok(next) if next.kind == Kind::Continuation && next.stream == frame.stream => next,
                other => self.fail(&format!("CONTINUATION must follow, not {other:?}")),
            };
            block.extend_from_slice(&last.payload);
        }
        match self.decoder.decode(&block) {
            Ok(headers) => Event::Headers(Head::new(&frame, headers)),
            Err(error) => self.fail(&format!("HEADERS of stream {}: {error}", frame.stream)),
        }
    }

    /// Ends the test: something does not go by the script.
    fn fail(&self, what: &str) -> ! {
        panic!("{what}\nthe transcript so far:\n  {}\n", self.transcript.join("\n  "))
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("transcript", &self.transcript).finish_non_exhaustive()
    }
}
