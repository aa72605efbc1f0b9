//! The door for foreign clients: the demo's service on an address of the user's choice.

use std::time::Duration;

use thalweg::{
    core::endpoint::Address,
    server::{ServerError, ServerHandle},
};

use super::Greeter;

/// What foreign calls have to finish when the demo ends.
const GRACE: Duration = Duration::from_secs(1);

/// A server for foreign clients, which answers at once.
#[derive(Debug)]
pub(in crate::demo) struct Guests {
    address: Address,
    server: ServerHandle,
}

impl Guests {
    /// Listens there.
    pub(in crate::demo) async fn listen(address: &str) -> Result<Self, ServerError> {
        let (address, server) = Greeter::new("thalweg demo", Duration::ZERO).serve(address).await?;
        Ok(Self { address, server })
    }

    /// Where it listens.
    pub(in crate::demo) fn address(&self) -> &Address {
        &self.address
    }

    /// Stops gracefully.
    pub(in crate::demo) async fn stop(self) {
        self.server.graceful_stop(GRACE).await;
    }
}
