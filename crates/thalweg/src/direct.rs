//! Calls of a channel's own to one subchannel, for what it asks its servers (A17's health; A51's load, out of band).
//!
//! They take the way of every call (credentials, authority, the queue for a stream, the errors), but on a board of their
//! own: no policy places them, no tracker observes them, and a channel with no other calls goes idle.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response};
use rpds::VectorSync;
use thalweg_core::{
    connectivity::Connectivity,
    endpoint::Endpoint,
    lb::{Cx, Fixed, Mint, Pick, SubchannelId},
    service_config::ServiceConfig,
};
use tokio::sync::mpsc;
use tonic::{Status, body::Body};
use tower_service::Service;

use crate::{
    call::{ResponseBody, ResponseFuture},
    control::{ChannelFacts, Control, ControlEvent},
    panics::Contained,
    rt,
    snapshot::{ReadySubchannel, Snapshot},
    subchannel::ConnectionKey,
};

/// A channel with one subchannel, for generated clients. Whoever holds it gives it up with the connections that it was
/// made for: it finds no others, and its calls would wait for ever.
#[derive(Clone, Debug)]
pub(crate) struct Direct(Arc<Control>);

impl Direct {
    /// Calls on the connections of `ready` with what is fixed for the channel, and what they find out about those.
    pub(crate) fn new(facts: ChannelFacts, ready: ReadySubchannel) -> (Self, Findings) {
        let (control, events) = Control::new(facts);
        let findings = Findings { events, subchannel: ready.id };
        // As its only subchannel it has the first name of all.
        let address = ready.address.clone();
        let id = Cx::new(rt::now(), &mut Mint::new(0), &mut vec![]).create(&Endpoint::new([address.clone()]), &address);
        control.board.publish(Snapshot {
            state: Connectivity::Ready,
            asleep: false,
            selector: Some(Contained::new(Arc::new(ServiceConfig::default()))),
            picker: Contained::new(Arc::new(Fixed::new(Pick::Use(id)))),
            ready: VectorSync::from_iter([Some(ReadySubchannel { id, trackers: Arc::new([]), ..ready })]),
        });
        (Self(Arc::new(control)), findings)
    }
}

impl Service<Request<Body>> for Direct {
    type Response = Response<ResponseBody>;
    type Error = Status;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> ResponseFuture {
        ResponseFuture::new(&self.0, request)
    }
}

/// What direct calls find out about the connections of their subchannel.
#[derive(Debug)]
pub(crate) struct Findings {
    events: mpsc::UnboundedReceiver<ControlEvent>,
    /// Its name in the channel.
    subchannel: SubchannelId,
}

impl Findings {
    /// Tells the channel's driver, until the last call has ended.
    pub(crate) async fn forward(mut self, tell: impl Fn(ControlEvent)) {
        while let Some(event) = self.events.recv().await {
            match event {
                ControlEvent::Crowded(_) => tell(ControlEvent::Crowded(self.subchannel)),
                ControlEvent::Unusable(key) => {
                    tell(ControlEvent::Unusable(ConnectionKey { subchannel: self.subchannel, ..key }));
                }
                // There is no policy to wake, and there are no resolvers or attempts.
                _ => {}
            }
        }
    }
}
