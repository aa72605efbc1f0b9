//! Opening a stream: its id, its HEADERS and the first of its data, all at once (RFC 9113 section 8.1).

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, uri::PathAndQuery};
use thiserror::Error;

use super::{Life, Sender, queue::Stream};

/// The head of a gRPC request: POST, `te: trailers`, `content-type: application/grpc`, and what is said here.
#[derive(Clone, Copy, Debug)]
pub struct RequestHead<'a> {
    /// `:path`.
    pub path: &'a PathAndQuery,
    /// `:scheme`: https, or http.
    pub https: bool,
    /// `:authority`.
    pub authority: &'a str,
    /// `grpc-timeout`; if `None`, the one in `metadata` is sent.
    pub timeout: Option<&'a [u8]>,
    /// `user-agent`.
    pub user_agent: &'a HeaderValue,
    /// Everything else. A `content-type` replaces `application/grpc`; `te` and fields that only concern a connection are
    /// left out (RFC 9113 section 8.2.2).
    pub metadata: &'a HeaderMap,
}

/// Why a stream was not opened. The peer knows nothing of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum Refused {
    /// The peer wants no more streams at the same time than there are, or has not read what was said on them.
    #[error("the peer allows no more streams at the same time")]
    Full,
    /// The peer wants no more streams on this connection.
    #[error("the peer accepts no more streams on this connection")]
    Draining,
    /// The connection is over.
    #[error("the connection is closed")]
    Closed,
    /// A connection has 2^30 streams.
    #[error("the connection has used up its stream ids")]
    IdsExhausted,
    /// The peer wants no headers of this size.
    #[error("the headers have {size} bytes, more than the {limit} that the peer accepts")]
    HeadersTooLarge {
        /// What they have, in bytes as of RFC 9113 section 10.5.1.
        size: usize,
        /// What the peer accepts.
        limit: usize,
    },
}

impl<S: Clone> Sender<S> {
    /// Opens a stream, with the first of its data if they are there, which are taken; `end`: they are all. `handle` makes the handle for
    /// the stream's id, which is returned. Data for which there is no room wait, and the handle is told when they went.
    ///
    /// # Errors
    /// The stream was not opened, and nothing was taken.
    pub fn open(
        &mut self,
        head: &RequestHead<'_>,
        first: &mut Option<Bytes>,
        end: bool,
        handle: impl FnOnce(u32) -> S,
    ) -> Result<u32, Refused> {
        self.admit(head)?;
        let first = first.take();
        let id = self.next_stream;
        self.next_stream += 2;
        // gRPC ends a request by DATA, empty if need be: without any the head is its end.
        self.append_request(id, head, end && first.is_none());
        let handle = handle(id);
        let mut stream = Stream::new(self.peer.initial_window);
        stream.we_ended = end;
        if let Some(first) = first.filter(|first| end || !first.is_empty()) {
            self.counters.messages_sent += stream.messages.follow(&first);
            let _told_by_drained = self.output.send(id, &mut stream, first, end, || handle.clone());
        }
        self.streams.insert(id, stream);
        self.news.opened.push((id, handle));
        self.counters.streams_started += 1;
        Ok(id)
    }

    fn admit(&self, head: &RequestHead<'_>) -> Result<(), Refused> {
        match self.life {
            Life::Open => {}
            Life::Draining => return Err(Refused::Draining),
            Life::Closed => return Err(Refused::Closed),
        }
        if self.is_exhausted() {
            return Err(Refused::IdsExhausted);
        }
        if !self.has_room() {
            return Err(Refused::Full);
        }
        // It is measured before it is encoded, since what is encoded must be sent.
        match self.peer.max_header_list_size {
            Some(limit) if head.size() > limit => Err(Refused::HeadersTooLarge { size: head.size(), limit }),
            _ => Ok(()),
        }
    }

    fn append_request(&mut self, id: u32, head: &RequestHead<'_>, end: bool) {
        let block = self.blocks.request(head);
        self.output.buffer.headers(id, block, end, self.output.max_frame_size);
    }
}
