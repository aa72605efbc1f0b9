//! thalweg's `Channel` called as a tower service: what the channel and its transport cost without a stub.

use std::{net::SocketAddr, sync::Arc};

use ::thalweg::Channel;
use bytes::Bytes;
use http::{Request, request};
use http_body_util::{BodyExt, Full};
use tower::Service;

use super::thalweg;
use crate::{error::Error, load::Caller, protocol};

/// A channel and all that is the same in every call.
#[derive(Clone)]
pub(super) struct ByHand {
    channel: Channel,
    head: Arc<request::Parts>,
    frame: Bytes,
}

/// Connects to a server.
pub(super) async fn connect(server: SocketAddr, trust: Option<&str>, payload: &Bytes) -> Result<ByHand, Error> {
    let channel = thalweg::channel(server, trust, 1).await?;
    let head = Arc::new(protocol::head(http::Uri::from_static(protocol::UNARY)));
    Ok(ByHand { channel, head, frame: protocol::frame(payload) })
}

impl Caller for ByHand {
    async fn call(&mut self, _: &Bytes) -> Result<(), Error> {
        let request = Request::from_parts(request::Parts::clone(&self.head), Full::new(self.frame.clone()));
        let mut body = self.channel.call(request).await?.into_body();
        let (mut received, mut status) = (0, None);
        while let Some(frame) = body.frame().await {
            match frame?.into_data() {
                Ok(chunk) => received += chunk.len(),
                Err(other) => {
                    status = other.into_trailers().ok().and_then(|mut trailers| trailers.remove(protocol::GRPC_STATUS));
                }
            }
        }
        Error::unless_echo(received, self.frame.len())?;
        Error::unless_ok(status)
    }

    fn writes(&self) -> Option<u64> {
        Some(self.channel.connection_stats().iter().map(|connection| connection.counters.writes).sum())
    }
}
