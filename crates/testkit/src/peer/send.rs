//! What the script says.

use bytes::{BufMut, BytesMut};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::Peer;
use crate::wire::{
    frame::{ACK, END_HEADERS, END_STREAM, Frame, Kind, PREFACE},
    hpack,
};

/// The largest payload that every peer accepts.
const MAX_PAYLOAD: usize = 16_384;

impl Peer {
    /// As a client: the preface, and SETTINGS with these identifiers and values.
    pub async fn send_preface(&mut self, settings: &[(u16, u32)]) {
        self.send_raw(PREFACE).await;
        self.send_settings(settings).await;
    }

    /// SETTINGS with these identifiers and values.
    pub async fn send_settings(&mut self, values: &[(u16, u32)]) {
        self.send(&Frame::settings(values)).await;
    }

    /// The answer to SETTINGS, for a script that is [mute](Self::mute).
    pub async fn acknowledge_settings(&mut self) {
        self.send(&Frame::new(Kind::Settings, ACK, 0, "")).await;
    }

    /// As a client: opens a stream with a gRPC request for `path`, and these fields besides. Returns the stream.
    pub async fn send_request(&mut self, path: &str, fields: &[(&str, &str)]) -> u32 {
        let head = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "test"),
            ("te", "trailers"),
            ("content-type", "application/grpc"),
        ];
        let stream = self.next_stream;
        self.next_stream += 2;
        self.send_block(stream, &[&head[..], fields].concat(), 0).await;
        stream
    }

    /// HEADERS that leave the stream open.
    pub async fn send_headers(&mut self, stream: u32, fields: &[(&str, &str)]) {
        self.send_block(stream, fields, 0).await;
    }

    /// HEADERS that end the stream.
    pub async fn send_trailers(&mut self, stream: u32, fields: &[(&str, &str)]) {
        self.send_block(stream, fields, END_STREAM).await;
    }

    /// DATA that leaves the stream open, in as many frames as it takes. Nothing holds it back: windows are the
    /// script's business.
    pub async fn send_data(&mut self, stream: u32, bytes: &[u8]) {
        for chunk in bytes.chunks(MAX_PAYLOAD) {
            self.send(&Frame::new(Kind::Data, 0, stream, chunk.to_vec())).await;
        }
    }

    /// An empty DATA frame that ends the stream.
    pub async fn send_end(&mut self, stream: u32) {
        self.send(&Frame::new(Kind::Data, END_STREAM, stream, "")).await;
    }

    /// A gRPC message, uncompressed, as DATA that leaves the stream open.
    pub async fn send_message(&mut self, stream: u32, message: &[u8]) {
        let mut bytes = BytesMut::with_capacity(5 + message.len());
        bytes.put_u8(0);
        bytes.put_u32(message.len() as u32);
        bytes.put_slice(message);
        self.send_data(stream, &bytes).await;
    }

    /// RST_STREAM with this HTTP/2 error code.
    pub async fn reset(&mut self, stream: u32, code: u32) {
        self.send(&Frame::number(Kind::RstStream, stream, code)).await;
    }

    /// GOAWAY with this HTTP/2 error code.
    pub async fn go_away(&mut self, last_stream: u32, code: u32, debug: &str) {
        self.send(&Frame::go_away(last_stream, code, debug.as_bytes())).await;
    }

    /// PING.
    pub async fn ping(&mut self, data: [u8; 8]) {
        self.send(&Frame::new(Kind::Ping, 0, 0, data.to_vec())).await;
    }

    /// The answer to PING, for a script that is [mute](Self::mute).
    pub async fn pong(&mut self, data: [u8; 8]) {
        self.send(&Frame::new(Kind::Ping, ACK, 0, data.to_vec())).await;
    }

    /// WINDOW_UPDATE for a stream, or for the connection (0).
    pub async fn send_window_update(&mut self, stream: u32, increment: u32) {
        self.send(&Frame::number(Kind::WindowUpdate, stream, increment)).await;
    }

    /// Any frame, well-formed or not.
    pub async fn send(&mut self, frame: &Frame) {
        let Frame { kind, flags, stream, payload } = frame;
        self.transcript.push(format!("> {kind:?} on stream {stream} flags {flags:#x} {} bytes", payload.len()));
        let mut bytes = BytesMut::new();
        frame.encode(&mut bytes);
        self.write(&bytes).await;
    }

    /// Any bytes, frames or not.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        self.transcript.push(format!("> {} raw bytes", bytes.len()));
        self.write(bytes).await;
    }

    /// Any bytes, however much of them the other end takes: this ends when all are sent or the connection is. Whatever
    /// comes meanwhile is kept for the script, and nothing is answered before the script reads it.
    pub async fn storm(&mut self, bytes: &[u8]) {
        self.transcript.push(format!("> a storm of {} raw bytes", bytes.len()));
        let (mut read, mut write) = tokio::io::split(&mut self.io);
        let listen = async { while read.read_buf(&mut self.inbox).await.is_ok_and(|count| count > 0) {} };
        let storm = async {
            tokio::select! {
                () = listen => {}
                // What an error means, the script hears from the other end, or misses.
                _ = write.write_all(bytes) => {}
            }
        };
        if timeout(self.patience, storm).await.is_err() {
            self.fail("the other end neither reads nor ends the connection");
        }
    }

    async fn send_block(&mut self, stream: u32, fields: &[(&str, &str)], flags: u8) {
        let block = hpack::encode(fields);
        let mut kind = Kind::Headers;
        let mut flags = flags;
        let mut rest = block.chunks(MAX_PAYLOAD).peekable();
        while let Some(fragment) = rest.next() {
            let last = if rest.peek().is_none() { END_HEADERS } else { 0 };
            self.send(&Frame::new(kind, flags | last, stream, fragment.to_vec())).await;
            (kind, flags) = (Kind::Continuation, 0);
        }
    }

    async fn write(&mut self, bytes: &[u8]) {
        let written = match self.io.write_all(bytes).await {
            Ok(()) => self.io.flush().await,
            failed => failed,
        };
        if let Err(error) = written {
            self.fail(&format!("sending failed: {error}"));
        }
    }
}
