//! Callers that stay on one stream: a call is an exchange of messages on it.

use bytes::Bytes;
use thalweg_proto::bench::{Payload, echo_client::EchoClient};
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

use super::stub::{Ground, download};
use crate::{
    error::Error,
    load::{Caller, Unit},
};

/// Messages that a caller of a server stream receives between two looks at the clock.
const BATCH: u32 = 64;

/// Sends a message, waits for its echo, on a stream of its own.
pub(super) struct PingPong<T> {
    stub: EchoClient<T>,
    open: Option<Both>,
}

/// Both directions of a stream.
struct Both {
    send: Sender<Payload>,
    receive: Streaming<Payload>,
}

impl<T: Ground> PingPong<T> {
    /// A caller that opens its stream with its first message.
    pub(super) fn new(stub: EchoClient<T>) -> Self {
        Self { stub, open: None }
    }

    /// The open stream, with a message on its way.
    async fn send(&mut self, message: Payload) -> Result<&mut Both, Error> {
        if let Some(open) = &self.open {
            // The receiving side says why the sending one has ended.
            let _ended = open.send.send(message).await;
        } else {
            let (send, messages) = mpsc::channel(1);
            // There is room for one.
            let _sent = send.try_send(message);
            let receive = self.stub.stream(ReceiverStream::new(messages)).await?.into_inner();
            self.open = Some(Both { send, receive });
        }
        self.open.as_mut().ok_or(Error::StreamEnded)
    }
}

impl<T: Ground> Caller for PingPong<T> {
    const UNIT: Unit = Unit::Messages(1);

    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        let open = self.send(Payload { body: payload.clone() }).await?;
        next(&mut open.receive, payload).await
    }
}

/// Receives messages from a stream without an end.
pub(super) struct ServerStream<T> {
    stub: EchoClient<T>,
    open: Option<Streaming<Payload>>,
}

impl<T: Ground> ServerStream<T> {
    /// A caller that opens its stream when it wants its first message.
    pub(super) fn new(stub: EchoClient<T>) -> Self {
        Self { stub, open: None }
    }
}

impl<T: Ground> Caller for ServerStream<T> {
    const UNIT: Unit = Unit::Messages(BATCH);

    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(self.stub.download(download(u32::MAX, payload)).await?.into_inner()),
        };
        for _ in 0..BATCH {
            next(open, payload).await?;
        }
        Ok(())
    }
}

async fn next(stream: &mut Streaming<Payload>, payload: &Bytes) -> Result<(), Error> {
    let message = stream.message().await?.ok_or(Error::StreamEnded)?;
    Error::unless_echo(message.body.len(), payload.len())
}
