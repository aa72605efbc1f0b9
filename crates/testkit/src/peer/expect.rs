//! What the script waits for.

use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::{
    io::AsyncReadExt,
    time::{Instant, timeout_at},
};

use super::{
    Peer,
    event::{Data, Event, GoAway, Head},
};
use crate::wire::frame::PREFACE;

impl Peer {
    /// As a server: the client's preface and the SETTINGS after it, whose identifiers and values it returns.
    pub async fn expect_preface(&mut self) -> Vec<(u16, u32)> {
        let deadline = Instant::now() + self.patience;
        while self.inbox.len() < PREFACE.len() {
            match timeout_at(deadline, self.io.read_buf(&mut self.inbox)).await {
                Ok(Ok(1..)) => {}
                Ok(Ok(0)) => self.fail("expected the preface, and the connection ended"),
                Ok(Err(error)) => self.fail(&format!("expected the preface: {error}")),
                Err(_) => self.fail("waited for the preface in vain"),
            }
        }
        if self.inbox.split_to(PREFACE.len()) != PREFACE {
            self.fail("what came first is not the preface");
        }
        self.transcript.push("< the preface".to_owned());
        self.expect_settings().await
    }

    /// SETTINGS, whose identifiers and values it returns.
    pub async fn expect_settings(&mut self) -> Vec<(u16, u32)> {
        self.expect("SETTINGS", None, |event| match event {
            Event::Settings(values) => Ok(values),
            other => Err(other),
        })
        .await
    }

    /// The answer to our SETTINGS.
    pub async fn expect_settings_ack(&mut self) {
        self.expect("the answer to SETTINGS", None, |event| match event {
            Event::SettingsAck => Ok(()),
            other => Err(other),
        })
        .await;
    }

    /// HEADERS on any stream: as a server, the next call.
    pub async fn expect_headers(&mut self) -> Head {
        let head = self.expect("HEADERS", None, |event| match event {
            Event::Headers(head) => Ok(head),
            other => Err(other),
        });
        let head = head.await;
        self.note_end(head.stream, head.end);
        head
    }

    /// HEADERS on this stream: a response's head, or trailers.
    pub async fn expect_headers_on(&mut self, stream: u32) -> Head {
        let head = self.expect("HEADERS", Some(stream), |event| match event {
            Event::Headers(head) if head.stream == stream => Ok(head),
            other => Err(other),
        });
        let head = head.await;
        self.note_end(stream, head.end);
        head
    }

    /// The next DATA frame of this stream, credited.
    pub async fn expect_data(&mut self, stream: u32) -> Data {
        let data = self.expect("DATA", Some(stream), |event| match event {
            Event::Data(data) if data.stream == stream => Ok(data),
            other => Err(other),
        });
        let data = data.await;
        self.note_end(stream, data.end);
        if self.credits && data.cost > 0 {
            self.send_window_update(0, data.cost).await;
            if !data.end {
                self.send_window_update(stream, data.cost).await;
            }
        }
        data
    }

    /// The next DATA frame of any stream, in the order on the wire; not credited.
    pub async fn expect_any_data(&mut self) -> Data {
        let data = self.expect("DATA", None, |event| match event {
            Event::Data(data) => Ok(data),
            other => Err(other),
        });
        let data = data.await;
        self.note_end(data.stream, data.end);
        data
    }

    /// The next gRPC message of this stream, without its prefix, in however many frames.
    pub async fn expect_message(&mut self, stream: u32) -> Bytes {
        loop {
            if let Some(message) = self.take_message(stream) {
                return message;
            }
            if self.ended.contains(&stream) {
                self.fail(&format!("expected a message on stream {stream}, and the stream ended"));
            }
            let data = self.expect_data(stream).await;
            self.partial.entry(stream).or_default().extend_from_slice(&data.bytes);
        }
    }

    /// The end of this stream, by DATA without bytes or, as it may be, with a message read before.
    pub async fn expect_end(&mut self, stream: u32) {
        while !self.ended.contains(&stream) {
            let data = self.expect_data(stream).await;
            if !data.bytes.is_empty() {
                self.fail(&format!("expected the end of stream {stream}, and {data:?} came"));
            }
        }
        if self.partial.get(&stream).is_some_and(|rest| !rest.is_empty()) {
            self.fail(&format!("stream {stream} ended with bytes that nobody asked for"));
        }
    }

    /// RST_STREAM of this stream; returns its HTTP/2 error code.
    pub async fn expect_reset(&mut self, stream: u32) -> u32 {
        self.expect("RST_STREAM", Some(stream), |event| match event {
            Event::Reset { stream: on, code } if on == stream => Ok(code),
            other => Err(other),
        })
        .await
    }

    /// PING; returns what it carries. It is answered already, unless the script is [mute](Self::mute).
    pub async fn expect_ping(&mut self) -> [u8; 8] {
        self.expect("PING", None, |event| match event {
            Event::Ping(data) => Ok(data),
            other => Err(other),
        })
        .await
    }

    /// The answer to our PING; returns what it carries.
    pub async fn expect_pong(&mut self) -> [u8; 8] {
        self.expect("the answer to PING", None, |event| match event {
            Event::Pong(data) => Ok(data),
            other => Err(other),
        })
        .await
    }

    /// GOAWAY.
    pub async fn expect_go_away(&mut self) -> GoAway {
        self.expect("GOAWAY", None, |event| match event {
            Event::GoAway(away) => Ok(away),
            other => Err(other),
        })
        .await
    }

    /// WINDOW_UPDATE for this stream, or for the connection (0); returns the increment.
    pub async fn expect_window_update(&mut self, stream: u32) -> u32 {
        self.expect("WINDOW_UPDATE", None, |event| match event {
            Event::WindowUpdate { stream: on, increment } if on == stream => Ok(increment),
            other => Err(other),
        })
        .await
    }

    /// The end of the connection. What comes before it is passed over.
    pub async fn expect_close(&mut self) {
        self.expect("the end of the connection", None, |event| match event {
            Event::Closed(_) => Ok(()),
            other => Err(other),
        })
        .await;
        self.kept.push_back(Event::Closed("end".to_owned()));
    }

    /// Nothing on any stream, and no end, for this time.
    pub async fn expect_quiet(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        loop {
            let unasked = |event: &Event| event.stream().is_some() || matches!(event, Event::Closed(_));
            if let Some(event) = self.kept.iter().find(|event| unasked(event)) {
                self.fail(&format!("expected quiet, and this came: {event:?}"));
            }
            match timeout_at(deadline, self.read_event()).await {
                Ok(event) => self.kept.push_back(event),
                Err(_) => return,
            }
        }
    }

    /// The first event that `take` takes, among those kept and then those to come. On `stream`, if one is given,
    /// nothing else may come before it.
    async fn expect<T>(&mut self, what: &str, stream: Option<u32>, take: impl Fn(Event) -> Result<T, Event>) -> T {
        let mut passed = std::mem::take(&mut self.kept);
        let deadline = Instant::now() + self.patience;
        loop {
            let event = match passed.pop_front() {
                Some(event) => event,
                None => match timeout_at(deadline, self.read_event()).await {
                    Ok(event) => event,
                    Err(_) => self.fail(&format!("waited {:?} for {what} in vain", self.patience)),
                },
            };
            match take(event) {
                Ok(found) => {
                    self.kept.append(&mut passed);
                    return found;
                }
                Err(Event::Closed(how)) => self.fail(&format!("expected {what}, and the connection ended: {how}")),
                Err(other) if stream.is_some() && other.stream() == stream => {
                    self.fail(&format!("expected {what}, and this came: {other:?}"))
                }
                Err(other) => self.kept.push_back(other),
            }
        }
    }

    fn note_end(&mut self, stream: u32, end: bool) {
        if end {
            self.ended.insert(stream);
        }
    }

    /// The first complete message that came on this stream.
    fn take_message(&mut self, stream: u32) -> Option<Bytes> {
        let bytes = self.partial.get_mut(&stream)?;
        let length = usize::try_from(bytes.get(1..5)?.get_u32()).ok()?;
        if bytes.len() < 5 + length {
            return None;
        }
        let mut message = bytes.split_to(5 + length);
        message.advance(5);
        Some(message.freeze())
    }
}
