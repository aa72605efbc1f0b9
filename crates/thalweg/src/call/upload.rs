//! The request body on its way out, kept for as long as it may have to be sent again (A6).

use std::{
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::Body as _;
use smallvec::SmallVec;
use tonic::{Code, Status, body::Body};

use crate::{
    error::LocalError,
    transport::{
        client::SendHalf,
        messages::{Prefixes, TooLarge},
    },
};

/// Why the request could not be sent to its end.
#[derive(Debug)]
pub(super) enum UploadError {
    /// The stream broke; its receiving half knows why.
    Broken,
    /// The application's messages failed, or are over the limit.
    Request(Status),
}

/// What goes out with the head of a request.
#[derive(Debug, Default)]
pub(super) struct First {
    pub(super) chunk: Option<Bytes>,
    /// It is all.
    pub(super) end: bool,
}

/// A chunk that may have to be sent again.
enum Spare {
    /// A copy: a small chunk may be all that is used of a stub's large buffer. The least ones take no memory of their own.
    Copy(SmallVec<[u8; 48]>),
    Shared(Bytes),
}

impl Spare {
    /// No larger chunk is copied, in bytes.
    const SMALL: usize = 2 << 10;

    fn of(chunk: &Bytes) -> Self {
        if chunk.len() <= Self::SMALL { Self::Copy(SmallVec::from_slice(chunk)) } else { Self::Shared(chunk.clone()) }
    }

    fn to_bytes(&self) -> Bytes {
        match self {
            Self::Copy(copy) => Bytes::copy_from_slice(copy),
            Self::Shared(chunk) => chunk.clone(),
        }
    }
}

/// The messages of a request.
pub(super) struct Upload {
    /// Gone when it has ended.
    body: Option<Body>,
    /// What is to go out with the head of the request.
    first: First,
    /// One chunk read ahead, so that the last one carries the end of the stream.
    ahead: Option<Bytes>,
    /// What was sent, in case it has to be sent again.
    kept: SmallVec<[Spare; 1]>,
    /// How many bytes more may be kept. `None`: too much was sent to send it again, or the answer is here.
    room: Option<usize>,
    /// How many of the kept chunks this attempt has sent.
    replayed: usize,
    /// This attempt has sent the end of the stream.
    ended: bool,
    /// The body has said that there is no more for now, and wakes whoever asked.
    dry: bool,
    limit: Option<Prefixes>,
}

impl Upload {
    /// Sends `body`, keeping up to `keep` bytes of it.
    pub(super) fn new(body: Body, keep: usize) -> Self {
        Self {
            body: Some(body),
            first: First::default(),
            ahead: None,
            kept: SmallVec::new(),
            room: Some(keep),
            replayed: 0,
            ended: false,
            dry: false,
            limit: None,
        }
    }

    /// Refuses messages of more than `limit` bytes. Before the first byte is sent.
    pub(super) fn limit(&mut self, limit: usize) {
        if limit < u32::MAX as usize && self.limit.is_none() {
            self.limit = Some(Prefixes::new(limit));
        }
    }

    /// Starts again from the beginning, if all of it was kept.
    pub(super) fn rewind(&mut self) -> bool {
        if self.room.is_none() {
            return false;
        }
        self.replayed = 0;
        self.ended = false;
        true
    }

    /// Nothing will be sent again from here on.
    pub(super) fn commit(&mut self) {
        self.room = None;
        self.kept.drain(..self.replayed);
        self.replayed = 0;
    }

    /// What can be sent together with the head of the request, and whether it is all; nothing, if there is nothing yet.
    /// What is not taken out of it stays for another look, and what is was sent.
    pub(super) fn first(&mut self, cx: &mut Context<'_>) -> Result<&mut First, UploadError> {
        if self.first.chunk.is_none()
            && let Poll::Ready(next) = self.poll_chunk(cx)
        {
            let (chunk, end) = next?;
            self.first = First { chunk: Some(chunk), end };
        }
        Ok(&mut self.first)
    }

    /// The head is out, and the first chunk with it.
    pub(super) fn sent_first(&mut self) {
        self.ended = mem::take(&mut self.first).end;
    }

    /// Sends as much as there is room for; ready when the end of the stream has been sent.
    pub(super) fn poll_send(&mut self, stream: &mut SendHalf, cx: &mut Context<'_>) -> Poll<Result<(), UploadError>> {
        self.dry = false;
        loop {
            ready!(stream.poll_sent(cx)).map_err(|_| UploadError::Broken)?;
            if self.ended {
                return Poll::Ready(Ok(()));
            }
            if self.dry {
                return Poll::Pending;
            }
            let (chunk, end) = ready!(self.poll_chunk(cx))?;
            self.ended = end;
            stream.send(chunk, end).map_err(|_| UploadError::Broken)?;
        }
    }

    /// The next chunk, and whether it is the last.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Bytes, bool), UploadError>> {
        match self.next_kept() {
            Some(next) => Poll::Ready(Ok(next)),
            None => self.poll_next(cx),
        }
    }

    /// The next chunk that an earlier attempt had sent already.
    fn next_kept(&mut self) -> Option<(Bytes, bool)> {
        let chunk = self.kept.get(self.replayed)?.to_bytes();
        self.replayed += 1;
        let end = self.replayed == self.kept.len() && self.body.is_none() && self.ahead.is_none();
        Some((chunk, end))
    }

    /// The next fresh chunk, and whether it is the last.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Bytes, bool), UploadError>> {
        loop {
            let Some(body) = &mut self.body else {
                let last = self.ahead.take().unwrap_or_default();
                return Poll::Ready(Ok(self.keep(last, true)));
            };
            match Pin::new(body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(chunk) = frame.into_data() else { continue };
                    // Servers count empty frames as an attack.
                    if chunk.is_empty() {
                        continue;
                    }
                    self.check(&chunk)?;
                    if let Some(ready) = self.ahead.replace(chunk) {
                        return Poll::Ready(Ok(self.keep(ready, false)));
                    }
                }
                Poll::Ready(Some(Err(status))) => return Poll::Ready(Err(UploadError::Request(blame(status)))),
                Poll::Ready(None) => self.body = None,
                Poll::Pending => {
                    self.dry = true;
                    let Some(ready) = self.ahead.take() else { return Poll::Pending };
                    return Poll::Ready(Ok(self.keep(ready, false)));
                }
            }
        }
    }

    fn check(&mut self, chunk: &Bytes) -> Result<(), UploadError> {
        let Some(limit) = &mut self.limit else { return Ok(()) };
        limit.follow(chunk).map_err(|TooLarge { size, limit, .. }| {
            let text =
                format!("a request message of {size} bytes is larger than max_send_message_size ({limit} bytes)");
            UploadError::Request(LocalError::MessageTooLarge { size, limit }.status(Code::ResourceExhausted, text))
        })
    }

    fn keep(&mut self, chunk: Bytes, end: bool) -> (Bytes, bool) {
        if let Some(room) = self.room {
            self.room = room.checked_sub(chunk.len());
            if self.room.is_some() {
                self.kept.push(Spare::of(&chunk));
                self.replayed = self.kept.len();
            } else {
                self.commit();
            }
        }
        (chunk, end)
    }
}

/// Marks the status with which the application's messages failed.
fn blame(mut status: Status) -> Status {
    let mark = LocalError::RequestBody(status.message().into());
    status.set_source(Arc::new(mark));
    status
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("room", &self.room).field("ended", &self.ended).finish_non_exhaustive()
    }
}
