//! What one call may be told, in the extensions of its request.

use std::{sync::Arc, time::Instant};

use http::uri::Authority;
use thalweg_core::target::TargetError;

use crate::credentials::CallCredentials;

/// The options of one call. Each overrides what the service config or the channel says.
#[derive(Clone, Debug, Default)]
pub(crate) struct CallOptions {
    pub(crate) wait_for_ready: Option<bool>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) authority: Option<Authority>,
    pub(crate) max_receive_message_size: Option<usize>,
    pub(crate) max_send_message_size: Option<usize>,
    pub(crate) credentials: Option<Arc<dyn CallCredentials>>,
    pub(crate) peer: bool,
}

/// Per-call options on a [`tonic::Request`], for calls through a [`Channel`](crate::channel::Channel).
///
/// A timeout is set by tonic's own `set_timeout`; it covers the whole call, the response stream included.
pub trait RequestExt {
    /// Waits for a READY backend instead of failing at once when there is none (gRPC's wait-for-ready). Overrides the
    /// service config.
    fn set_wait_for_ready(&mut self, wait: bool);

    /// Ends the call at `at` with DEADLINE_EXCEEDED. The earliest of this, `set_timeout` and the service config counts.
    fn set_deadline(&mut self, at: Instant);

    /// The `:authority` of this call in the place of the channel's. Over TLS the server's certificate must cover it, or the
    /// call fails with UNAVAILABLE (A81).
    ///
    /// # Errors
    ///
    /// If `authority` cannot be one.
    fn set_authority(&mut self, authority: &str) -> Result<(), TargetError>;

    /// The largest message that is accepted, in bytes as on the wire. The stub's own limit still applies above it.
    fn set_max_receive_message_size(&mut self, bytes: usize);

    /// The largest message that is sent, in bytes as on the wire.
    fn set_max_send_message_size(&mut self, bytes: usize);

    /// Puts a [`PeerInfo`](crate::io::PeerInfo) into the response's extensions: who answered, and its certificates.
    fn want_peer(&mut self);

    /// Credentials for this call, beside the channel's.
    fn set_call_credentials(&mut self, credentials: Arc<dyn CallCredentials>);
}

impl<T> RequestExt for tonic::Request<T> {
    fn set_wait_for_ready(&mut self, wait: bool) {
        options(self).wait_for_ready = Some(wait);
    }

    fn set_deadline(&mut self, at: Instant) {
        options(self).deadline = Some(at);
    }

    fn set_authority(&mut self, authority: &str) -> Result<(), TargetError> {
        let parsed = authority.parse().map_err(|_| TargetError::Authority { authority: authority.to_owned() })?;
        options(self).authority = Some(parsed);
        Ok(())
    }

    fn set_max_receive_message_size(&mut self, bytes: usize) {
        options(self).max_receive_message_size = Some(bytes);
    }

    fn set_max_send_message_size(&mut self, bytes: usize) {
        options(self).max_send_message_size = Some(bytes);
    }

    fn want_peer(&mut self) {
        options(self).peer = true;
    }

    fn set_call_credentials(&mut self, credentials: Arc<dyn CallCredentials>) {
        options(self).credentials = Some(credentials);
    }
}

fn options<T>(request: &mut tonic::Request<T>) -> &mut CallOptions {
    request.extensions_mut().get_or_insert_default()
}
