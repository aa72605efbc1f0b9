//! Who watches a service: gets its status, and whenever it comes back for more, the latest one.

use std::sync::Arc;

use thalweg::context::ServerCall;
use thalweg_proto::health::HealthCheckResponse;
use tokio::sync::watch;

use super::{Board, ServingStatus, status::message};

/// The server's side of a `Watch` call.
#[derive(Debug)]
pub(super) struct Watcher {
    // Dropped in this order: whoever gives up its seat watches no more.
    statuses: watch::Receiver<Option<ServingStatus>>,
    _seat: Seat,
    /// What was sent last.
    sent: Option<Option<ServingStatus>>,
    /// The call, if the server is thalweg's.
    call: Option<ServerCall>,
}

impl Watcher {
    pub(super) fn new(board: Arc<Board>, service: String, call: Option<ServerCall>) -> Self {
        let statuses = board.watch(service.clone());
        Self { statuses, _seat: Seat { board, service }, sent: None, call }
    }

    /// The next message; `None` once the connection goes away and the last status is told.
    pub(super) async fn next(&mut self) -> Option<HealthCheckResponse> {
        loop {
            let status = *self.statuses.borrow_and_update();
            if self.sent != Some(status) {
                self.sent = Some(status);
                return Some(message(status));
            }
            tokio::select! {
                biased;
                changed = self.statuses.changed() => changed.ok()?,
                () = goodbye(self.call.as_ref()) => return None,
            }
        }
    }
}

/// Waits until the connection goes away; a server that is not thalweg's does not say when.
async fn goodbye(call: Option<&ServerCall>) {
    match call {
        Some(call) => call.going_away().await,
        None => std::future::pending().await,
    }
}

/// A place among those who watch a service.
#[derive(Debug)]
struct Seat {
    board: Arc<Board>,
    service: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.board.unwatch(&self.service);
    }
}
