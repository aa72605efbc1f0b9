//! What joins the two halves of a channel: the board that calls read, and the mailbox of the driver.

use std::{sync::Arc, time::Duration};

use http::{
    HeaderValue,
    uri::{Authority, Scheme},
};
use thalweg_core::lb::{Picker, SubchannelId, Wake};
use tokio::sync::mpsc;

use crate::{
    credentials::CallCredentials,
    error::ConnectError,
    panics::{Contained, Panic},
    resolver::{ResolveError, ResolverUpdate},
    snapshot::Board,
    subchannel::ConnectionKey,
    transport::{
        client::{Connection, ConnectionEvent},
        ledger::Ledger,
    },
};

/// What the driver of a channel is told.
#[derive(Debug)]
pub(crate) enum ControlEvent {
    /// A call found the channel asleep.
    WakeUp,
    /// The application wants a connection.
    Connect,
    /// A picker handed out a wake.
    Wake(Wake),
    /// A call found that the connection takes no more calls.
    Unusable(ConnectionKey),
    /// A call waits, since no connection of this subchannel has a stream for it.
    Crowded(SubchannelId),
    /// This picker panicked over a call.
    PickerPanicked(Contained<Arc<dyn Picker>>, Panic),
    /// The resolver has a result.
    Resolved(Contained<Result<ResolverUpdate, ResolveError>>),
    /// An attempt to connect has ended.
    Attempted(ConnectionKey, Result<Connection, ConnectError>),
    /// The health check of this subchannel has news.
    HealthNews(SubchannelId),
    /// Something became of a connection that was READY.
    Connection(ConnectionKey, ConnectionEvent),
}

/// What every call on a channel shares, fixed when the channel is built.
#[derive(Clone, Debug)]
pub(crate) struct ChannelFacts {
    /// As the application wrote it.
    pub(crate) target: String,
    pub(crate) scheme: Scheme,
    pub(crate) authority: Authority,
    pub(crate) user_agent: HeaderValue,
    pub(crate) is_secure: bool,
    pub(crate) credentials: Option<Arc<dyn CallCredentials>>,
    /// Bytes of one message, as on the wire.
    pub(crate) max_receive_message_size: usize,
    pub(crate) max_send_message_size: usize,
    /// Bytes of one request's metadata, as HTTP/2 counts header lists.
    pub(crate) max_metadata_size: usize,
    /// What of a request's messages is kept for sending it again.
    pub(crate) replay_buffer: usize,
    /// No calls for this long puts the channel to sleep.
    pub(crate) idle_timeout: Option<Duration>,
    /// Where its connections are listed.
    pub(crate) ledger: Arc<Ledger>,
}

/// The joint of a channel's two halves.
#[derive(Debug)]
pub(crate) struct Control {
    pub(crate) board: Board,
    pub(crate) facts: ChannelFacts,
    mailbox: mpsc::UnboundedSender<ControlEvent>,
}

impl Control {
    pub(crate) fn new(facts: ChannelFacts) -> (Self, mpsc::UnboundedReceiver<ControlEvent>) {
        let (mailbox, events) = mpsc::unbounded_channel();
        (Self { board: Board::new(), facts, mailbox }, events)
    }

    /// Tells the driver. After it has ended nobody listens, and its last snapshot says so.
    pub(crate) fn tell(&self, event: ControlEvent) {
        let _ = self.mailbox.send(event);
    }

    /// A way to tell the driver that does not keep the channel alive.
    pub(crate) fn weak_mailbox(&self) -> mpsc::WeakUnboundedSender<ControlEvent> {
        self.mailbox.downgrade()
    }
}
