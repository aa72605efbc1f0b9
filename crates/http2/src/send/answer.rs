//! What is sent on a stream after it was opened: response headers, data, trailers (RFC 9113 section 8.1).

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::{
    Gone, Progress, Sender,
    queue::{Stream, Tail},
    shorten,
};
use crate::{config::Role, error::Code, table::Table};

impl<S: Clone> Sender<S> {
    /// Begins the answer to a stream; `end`: that is all of it. A 200 without a `content-type` is said to be
    /// `application/grpc`; fields that only concern a connection are left out (RFC 9113 section 8.2.2). If they are more
    /// than the client accepts, an error that says so is all of the answer.
    ///
    /// # Errors
    /// The stream is over: it was, or the answer has become an error before its end.
    pub fn respond(&mut self, id: u32, status: StatusCode, headers: &HeaderMap, end: bool) -> Result<(), Gone> {
        let stream = open(&mut self.streams, id)?;
        if let Some((status, headers)) = shorten::head(status, headers, self.peer.max_header_list_size) {
            self.append_response(id, status, &headers, true);
            self.end_answer(id);
            return if end { Ok(()) } else { Err(Gone) };
        }
        stream.we_ended = end;
        self.append_response(id, status, headers, end);
        if end {
            self.end_answer(id);
        }
        Ok(())
    }

    /// Sends data; `end`: they are the last, and nothing follows. If they have to wait, `waiter` is told when that is over.
    /// More can be handed over before that, and waits too.
    ///
    /// # Errors
    /// The stream is over, or its end was sent already.
    pub fn data(&mut self, id: u32, chunk: Bytes, end: bool, waiter: &S) -> Result<Progress, Gone> {
        let stream = open(&mut self.streams, id)?;
        self.counters.messages_sent += stream.messages.follow(&chunk);
        let progress = self.output.send(id, stream, chunk, end, || waiter.clone());
        if end && progress == Progress::Sent {
            self.end_answer(id);
        }
        Ok(progress)
    }

    /// Ends the answer with trailers, after the data that wait. If they are more than the client accepts, it is told so
    /// instead.
    ///
    /// # Errors
    /// The stream is over, or its end was sent already.
    pub fn trailers(&mut self, id: u32, trailers: &HeaderMap) -> Result<(), Gone> {
        let stream = open(&mut self.streams, id)?;
        stream.we_ended = true;
        let short = shorten::trailers(trailers, self.peer.max_header_list_size);
        let trailers = short.as_ref().unwrap_or(trailers);
        if let Some(queue) = &mut stream.queue {
            queue.tail = Tail::Trailers(Box::new(trailers.clone()));
            return Ok(());
        }
        self.append_trailers(id, trailers);
        self.end_answer(id);
        Ok(())
    }

    /// A whole answer at once: as [`respond`](Self::respond), [`data`](Self::data) and [`trailers`](Self::trailers) one
    /// after the other.
    ///
    /// # Errors
    /// The stream is over.
    pub fn answer(
        &mut self,
        id: u32,
        status: StatusCode,
        headers: &HeaderMap,
        chunk: Bytes,
        trailers: &HeaderMap,
        waiter: &S,
    ) -> Result<Progress, Gone> {
        self.respond(id, status, headers, false)?;
        let progress = self.data(id, chunk, false, waiter)?;
        self.trailers(id, trailers)?;
        Ok(progress)
    }

    /// Sends what streams have queued, as far as windows and buffer have room; the first frame of an empty buffer in any
    /// case.
    pub(super) fn pump(&mut self, mut is_first: bool) {
        while self.output.has_room_for_turn(is_first) {
            let Some(id) = self.output.schedule.next() else { return };
            let Some(stream) = self.streams.get_mut(id) else {
                self.output.schedule.skipped();
                continue;
            };
            is_first = false;
            if let Some(queue) = self.output.send_turn(id, stream) {
                if let Tail::Trailers(trailers) = &queue.tail {
                    self.append_trailers(id, trailers);
                }
                if !matches!(queue.tail, Tail::Open) {
                    self.end_answer(id);
                }
                self.drained.push(queue.waiter);
            }
        }
    }

    /// Our last frame on a stream is in the buffer. If we are the side that answers, the stream is over.
    fn end_answer(&mut self, id: u32) {
        if self.role == Role::Client {
            return;
        }
        if let Some(stream) = self.streams.remove(id) {
            if !stream.peer_ended {
                // Whatever else it has to say changes nothing (RFC 9113 section 8.1).
                self.append_reset(id, Code::NO_ERROR);
            }
            self.counters.streams_succeeded += 1;
            self.news.closed.push(id);
        }
    }

    fn append_response(&mut self, id: u32, status: StatusCode, headers: &HeaderMap, end: bool) {
        let block = self.blocks.response(status, headers);
        self.output.buffer.headers(id, block, end, self.output.max_frame_size);
        self.output.check_heads();
    }

    fn append_trailers(&mut self, id: u32, trailers: &HeaderMap) {
        let block = self.blocks.trailers(trailers);
        self.output.buffer.headers(id, block, true, self.output.max_frame_size);
        self.output.check_heads();
    }
}

/// A stream on which something can be sent.
fn open<S>(streams: &mut Table<Stream<S>>, id: u32) -> Result<&mut Stream<S>, Gone> {
    streams.get_mut(id).filter(|stream| !stream.we_ended).ok_or(Gone)
}
