//! The life of one call: its handler, its response, its deadline, and all the ways in which it can end early.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderName, Request, uri::PathAndQuery};
use thalweg_core::deadline;
use tonic::{Code, Status, body::Body};

use super::{
    reply::{Outbound, Reply, ReplyError},
    request_body::RequestBody,
    router::{Answer, Entry, malformed_timeout},
    shutdown::Alive,
};
use crate::{
    context::{Connection, ServerCall},
    error::LocalError,
    panics::{Panic, caught},
    rt::{self, Alarm},
    transport::server::{Incoming, RequestHalf},
};

const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// What the calls of all connections have in common.
#[derive(Debug)]
pub(super) struct CallRules {
    pub(super) entry: Entry,
    pub(super) max_receive_message_size: usize,
    pub(super) max_send_message_size: Option<usize>,
    pub(super) max_header_list_size: usize,
}

/// What the calls of one connection have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) rules: Arc<CallRules>,
    pub(super) connection: Arc<Connection>,
    /// The server has not ended before the last call has.
    pub(super) _alive: Alive,
}

/// The task of one call. Its end drops the handler.
pub(super) struct Call {
    stage: Stage,
    out: Outbound,
    call: ServerCall,
    deadline: Alarm,
    shared: Arc<Shared>,
}

enum Stage {
    /// The handler has not been called.
    Arrived(Request<()>, RequestHalf, usize),
    /// The handler is at work.
    Handling(Answer),
    /// The response goes out.
    Replying(Reply),
    /// Nothing is left to do.
    Over,
}

impl Call {
    /// A call that has come in. Its deadline counts from now.
    pub(super) fn new(incoming: Incoming, shared: Arc<Shared>) -> Self {
        let Incoming { request, metadata_size, body, respond } = incoming;
        let timeout = request.headers().get(GRPC_TIMEOUT).map(|value| deadline::parse(value.as_bytes())).transpose();
        let path = request.uri().path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let (at, stage) = match timeout {
            Ok(timeout) => {
                let at = timeout.map(|timeout| deadline::from_now(rt::now(), timeout));
                (at, Stage::Arrived(request, body, metadata_size))
            }
            Err(error) => (None, Stage::Replying(Reply::new(malformed_timeout(&error), None))),
        };
        let mut alarm = Alarm::default();
        alarm.set(at);
        let call = ServerCall::new(Arc::clone(&shared.connection), path, at);
        Self { stage, out: Outbound::new(respond), call, deadline: alarm, shared }
    }

    /// Calls the handler, unless the call has failed before that.
    fn start(&mut self, request: Request<()>, half: RequestHalf, size: usize) {
        let rules = &self.shared.rules;
        if self.call.deadline().is_some_and(|at| at <= rt::now()) {
            return self.out.fail(deadline_exceeded(), &self.call);
        }
        if size > rules.max_header_list_size {
            return self.out.fail(metadata_too_large(size, rules.max_header_list_size), &self.call);
        }
        let body = RequestBody::new(half, self.call.clone(), rules.max_receive_message_size);
        let mut request = request.map(|()| Body::new(body));
        request.extensions_mut().insert(self.call.clone());
        self.stage = Stage::Handling(rules.entry.answer(request));
    }

    fn advance(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.stage {
                Stage::Arrived(..) => {
                    if let Stage::Arrived(request, half, size) = mem::replace(&mut self.stage, Stage::Over) {
                        self.start(request, half, size);
                    }
                }
                Stage::Handling(answer) => match Pin::new(answer).poll(cx) {
                    Poll::Ready(Ok(response)) => {
                        self.stage = Stage::Replying(Reply::new(response, self.shared.rules.max_send_message_size));
                    }
                    Poll::Pending if self.out.poll_reset(cx).is_ready() => return Poll::Ready(()),
                    Poll::Pending => break,
                },
                Stage::Replying(reply) => match reply.poll(&mut self.out, &self.call, cx) {
                    Poll::Ready(Err(ReplyError::Failed(status))) => {
                        self.out.fail(status, &self.call);
                        return Poll::Ready(());
                    }
                    Poll::Ready(Ok(()) | Err(ReplyError::Gone)) => return Poll::Ready(()),
                    Poll::Pending => break,
                },
                Stage::Over => return Poll::Ready(()),
            }
        }
        self.deadline.poll_ring(cx).map(|()| self.out.fail(deadline_exceeded(), &self.call))
    }
}

impl Future for Call {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        // Whatever a panic leaves half done is dropped with the call.
        caught(|| this.advance(cx)).unwrap_or_else(|panic| {
            this.out.fail(panicked(this.call.method(), panic), &this.call);
            Poll::Ready(())
        })
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.call.end();
    }
}

fn deadline_exceeded() -> Status {
    LocalError::DeadlineExceeded.status(Code::DeadlineExceeded, "the deadline passed at the server")
}

fn metadata_too_large(size: usize, limit: usize) -> Status {
    let mark = LocalError::MetadataTooLarge { size, limit };
    let message = mark.to_string();
    mark.status(Code::ResourceExhausted, message)
}

/// The client learns that the handler panicked, the log learns how.
fn panicked(method: &str, Panic(words): Panic) -> Status {
    tracing::error!(method, panic = &*words, "a handler panicked");
    LocalError::Panicked(words).status(Code::Internal, "the handler panicked")
}
