//! Header blocks: HEADERS and CONTINUATION put together (RFC 9113 sections 4.3, 6.2 and 6.10), and what a block is: a
//! request, a response or trailers (section 8.1).
//!
//! Every block is decoded, even if nobody wants it: the HPACK states of both sides have to stay equal.

use http::StatusCode;

use super::{
    Receiver, Sink,
    frames::{closed, describe, malformed},
    streams::{Absent, Entry, Phase},
};
use crate::{
    config::{Limits, Role},
    error::{Code, Fault, Rule, Violation},
    fields::Fields,
    frame::{Head, continuation, headers, settings::DEFAULT_MAX_FRAME_SIZE},
    head::{Message, Request, Response, ResponseHead, Trailers},
    hpack::field::Field,
};

/// How many times the announced size a header list may have until it ends the connection.
const EXCESS: usize = 4;

/// The limits, with as many CONTINUATION frames as a list of headers needs that may just be.
pub(super) fn with_room(limits: Limits, list_limit: u32) -> Limits {
    let needed = (list_limit / DEFAULT_MAX_FRAME_SIZE).saturating_mul(EXCESS as u32);
    Limits { continuations: limits.continuations.max(needed), ..limits }
}

/// A header block of which CONTINUATION frames are still to come.
#[derive(Debug)]
pub(super) struct Assembly {
    opening: Opening,
    block: Vec<u8>,
    continuations: u32,
}

impl Assembly {
    pub(super) fn stream(&self) -> u32 {
        self.opening.head.stream
    }
}

/// The HEADERS frame of a block, without its fragment.
#[derive(Debug)]
struct Opening {
    head: Head,
    end: bool,
    /// What is wrong with the frame, told after its block was decoded.
    violation: Option<Violation>,
}

impl<S> Receiver<S> {
    #[inline]
    pub(super) fn headers<K: Sink<Stream = S>>(
        &mut self,
        head: &Head,
        payload: &[u8],
        sink: &mut K,
    ) -> Result<(), Fault> {
        let frame = headers::parse(head, payload)?;
        let opening = Opening { head: *head, end: frame.end_stream, violation: frame.violation };
        let fragment = &payload[frame.fragment];
        if frame.end_headers {
            return self.block(&opening, fragment, sink);
        }
        self.assembly = Some(Assembly { opening, block: fragment.to_vec(), continuations: 0 });
        Ok(())
    }

    pub(super) fn continuation<K: Sink<Stream = S>>(
        &mut self,
        head: &Head,
        payload: &[u8],
        sink: &mut K,
    ) -> Result<(), Fault> {
        let is_last = continuation::parse(head)?;
        let Some(mut assembly) = self.assembly.take() else { return Ok(()) };
        self.budget.continuation(assembly.continuations)?;
        assembly.continuations += 1;
        assembly.block.extend_from_slice(payload);
        if assembly.block.len() > self.list_limit * EXCESS {
            return Err(self.too_large(&assembly.opening.head).into());
        }
        if is_last {
            return self.block(&assembly.opening, &assembly.block, sink);
        }
        self.assembly = Some(assembly);
        Ok(())
    }

    /// A whole block.
    #[inline]
    fn block<K: Sink<Stream = S>>(&mut self, opening: &Opening, block: &[u8], sink: &mut K) -> Result<(), Fault> {
        let id = opening.head.stream;
        match self.streams.get(id).map(|entry| entry.phase) {
            Some(Phase::Head) => self.response(opening, block, sink),
            Some(Phase::Body) => self.trailers(opening, block, sink),
            Some(Phase::Ended) => {
                self.ignore(&opening.head, block)?;
                Err(closed(&opening.head))
            }
            None if self.role == Role::Server => self.request(opening, block, sink),
            None => {
                self.ignore(&opening.head, block)?;
                self.budget.late_frame()?;
                self.gone(&opening.head)
            }
        }
    }

    /// A block that opens a stream, or comes for one that is over.
    #[inline]
    fn request<K: Sink<Stream = S>>(&mut self, opening: &Opening, block: &[u8], sink: &mut K) -> Result<(), Fault> {
        let head = opening.head;
        if self.streams.is_ours(head.stream) {
            return Err(self.idle(&head));
        }
        if self.streams.refuses() || head.stream <= self.streams.last_peers() {
            self.ignore(&head, block)?;
            return self.late_request(&head);
        }
        self.streams.note_peers(head.stream);
        let mut request = Request::new(self.list_limit);
        self.decode(&head, block, |field, size| request.field(field, size))?;
        opening.check()?;
        if self.streams.len() >= self.stream_limit {
            return self.refuse(head.stream);
        }
        let message = opening.finish(request.finish(), |_| true)?;
        self.budget.useful_frame();
        let mut entry = Entry::new(sink.request(head.stream, message.head, opening.end), self.batch);
        entry.begin(message.body);
        self.effects.accepted.push(head.stream);
        if opening.end {
            entry.phase = Phase::Ended;
            self.effects.ended.push(head.stream);
        }
        self.streams.open(head.stream, entry);
        Ok(())
    }

    /// HEADERS for a stream of the peer's that is over or ignored (sections 5.1 and 5.1.1).
    fn late_request(&mut self, head: &Head) -> Result<(), Fault> {
        let id = head.stream;
        let (code, what) = match self.streams.absent(id) {
            Absent::Forgiven | Absent::Idle => return Ok(self.budget.late_frame()?),
            Absent::Closed => (Code::STREAM_CLOSED, "has ended"),
            Absent::Skipped => (Code::PROTOCOL_ERROR, "is below one that was opened before"),
        };
        Err(Violation::new(code, format!("{}, which {what}", describe(head))).into())
    }

    /// The peer has opened more streams at a time than it may. While it may not know our limit that costs it little.
    #[cold]
    fn refuse(&mut self, id: u32) -> Result<(), Fault> {
        self.effects.resets.push((id, Code::REFUSED_STREAM));
        self.streams.remember(id);
        if self.is_settled {
            self.budget.stream_error()?
        } else {
            self.budget.idle_frame()?
        }
        Ok(())
    }

    /// A block that answers a stream of ours.
    #[inline]
    fn response<K: Sink<Stream = S>>(&mut self, opening: &Opening, block: &[u8], sink: &mut K) -> Result<(), Fault> {
        let message = match self.heads.find(block, &self.decoder) {
            Some(message) => opening.check().map(|()| message)?,
            None => self.read_response(opening, block)?,
        };
        if message.head.status.is_informational() {
            return self.interim(opening, message.head.status);
        }
        self.budget.useful_frame();
        if let Some(entry) = self.streams.get_mut(opening.head.stream) {
            entry.begin(message.body);
            sink.response(&entry.stream, message.head, opening.end);
        }
        if opening.end {
            self.peer_ended(opening.head.stream);
        }
        Ok(())
    }

    fn read_response(&mut self, opening: &Opening, block: &[u8]) -> Result<Message<ResponseHead>, Fault> {
        let begun = self.decoder.generation();
        let mut response = Response::new(self.list_limit);
        self.decode(&opening.head, block, |field, size| response.field(field, size))?;
        opening.check()?;
        let has_body = |status: StatusCode| status != StatusCode::NOT_MODIFIED;
        let message = opening.finish(response.finish(), |head| has_body(head.status))?;
        self.heads.keep(block, begun, &self.decoder, &message, &message.head.fields);
        Ok(message)
    }

    /// An interim response says nothing to gRPC. 101 does not exist in HTTP/2 (section 8.6).
    #[cold]
    fn interim(&mut self, opening: &Opening, status: StatusCode) -> Result<(), Fault> {
        if opening.end || status == StatusCode::SWITCHING_PROTOCOLS {
            let rule = if opening.end { "that ends the stream" } else { "that HTTP/2 does not have" };
            return Err(malformed(&opening.head, format_args!("an interim response {} {rule}", status.as_u16())));
        }
        Ok(self.budget.idle_frame()?)
    }

    #[inline]
    fn trailers<K: Sink<Stream = S>>(&mut self, opening: &Opening, block: &[u8], sink: &mut K) -> Result<(), Fault> {
        let trailers = match self.trailers.find(block, &self.decoder) {
            Some(trailers) => opening.check_last().map(|()| trailers)?,
            None => self.read_trailers(opening, block)?,
        };
        if let Some(entry) = self.streams.get_mut(opening.head.stream) {
            if entry.content_left.is_some_and(|left| left > 0) {
                return Err(malformed(&opening.head, "the body is shorter than its content-length"));
            }
            sink.trailers(&entry.stream, trailers.head);
        }
        self.peer_ended(opening.head.stream);
        Ok(())
    }

    fn read_trailers(&mut self, opening: &Opening, block: &[u8]) -> Result<Message<Fields>, Fault> {
        let begun = self.decoder.generation();
        let mut trailers = Trailers::new(self.list_limit);
        self.decode(&opening.head, block, |field, size| trailers.field(field, size))?;
        opening.check_last()?;
        let trailers = opening.finish(trailers.finish(), |_| false)?;
        self.trailers.keep(block, begun, &self.decoder, &trailers, &trailers.head);
        Ok(trailers)
    }

    /// Decodes a block that nobody wants.
    fn ignore(&mut self, head: &Head, block: &[u8]) -> Result<(), Violation> {
        self.decode(head, block, |_, _| {})
    }

    #[inline]
    fn decode(&mut self, head: &Head, block: &[u8], mut each: impl FnMut(&Field, usize)) -> Result<(), Violation> {
        let mut all = 0;
        self.decoder.decode(block, &mut |field, size| {
            all += size;
            each(field, size);
        })?;
        if all > self.list_limit * EXCESS { Err(self.too_large(head)) } else { Ok(()) }
    }

    #[cold]
    fn too_large(&self, head: &Head) -> Violation {
        let text = format!("{}: fields of more than {} bytes", describe(head), self.list_limit * EXCESS);
        Violation::excess(Rule::HeaderList, text)
    }
}

impl Opening {
    #[inline]
    fn check(&self) -> Result<(), Fault> {
        match &self.violation {
            Some(violation) => Err(Fault::Stream { stream: self.head.stream, violation: violation.clone() }),
            None => Ok(()),
        }
    }

    /// The same, for a block that has to end the stream.
    #[inline]
    fn check_last(&self) -> Result<(), Fault> {
        self.check()?;
        if self.end { Ok(()) } else { Err(malformed(&self.head, "trailers that don't end the stream")) }
    }

    /// Checks that a message without a body does not announce one.
    #[inline]
    fn finish<H>(
        &self,
        message: Result<Message<H>, Violation>,
        has_body: impl FnOnce(&H) -> bool,
    ) -> Result<Message<H>, Fault> {
        let message = message.map_err(|violation| malformed(&self.head, violation.text))?;
        let announced = message.body.content_length.is_some_and(|length| length > 0);
        if self.end && announced && has_body(&message.head) {
            return Err(malformed(&self.head, "the body is shorter than its content-length"));
        }
        Ok(message)
    }
}
