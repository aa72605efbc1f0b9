//! Who watches a service: gets its status, and whenever it comes back for more, the latest one.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use thalweg::BoxFuture;
use thalweg_proto::health::HealthCheckResponse;
use tokio::sync::watch;

use super::{Board, ServingStatus, status::message};

/// The server's side of a `Watch` call.
pub(super) struct Watcher {
    // Dropped in this order: whoever gives up its seat watches no more.
    statuses: watch::Receiver<Option<ServingStatus>>,
    _seat: Seat,
    /// What was sent last.
    sent: Option<Option<ServingStatus>>,
    /// The connection takes no more calls, and should lose those that would stay.
    going_away: BoxFuture<'static, ()>,
}

impl Watcher {
    pub(super) fn new(board: Arc<Board>, service: String, going_away: BoxFuture<'static, ()>) -> Self {
        let statuses = board.watch(service.clone());
        Self { statuses, _seat: Seat { board, service }, sent: None, going_away }
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
                // Both may have happened since: the last status comes before the end.
                biased;
                changed = self.statuses.changed() => changed.ok()?,
                () = &mut self.going_away => return None,
            }
        }
    }
}

/// A place among those who watch a service.
struct Seat {
    board: Arc<Board>,
    service: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.board.unwatch(&self.service);
    }
}
