//! A call in the queue of a subchannel all of whose connections are full (A105), and the snapshots that go by meanwhile.

use std::{
    fmt, ptr,
    sync::Arc,
    task::{Context, Poll},
};

use thalweg_core::lb::{Picker, SubchannelId};

use crate::{
    control::{Control, ControlEvent},
    rt::BoxFuture,
    snapshot::{ReadySubchannel, Snapshot, Ticket},
    subchannel::pool::{Place, Turn},
};

/// A place in the queue of one subchannel, kept for as long as the picker stands by its choice.
pub(super) struct Queued {
    subchannel: SubchannelId,
    place: Place,
    /// Whose choice it was.
    picker: Arc<dyn Picker>,
    /// The next snapshot is there.
    published: BoxFuture<'static, ()>,
}

/// Why a call in the queue goes on.
pub(super) enum Next {
    /// To open its stream on one of these connections.
    Enter(ReadySubchannel),
    /// To ask the picker, which is another one now.
    Pick,
    /// To wait for a snapshot that does not name the subchannel.
    Wait,
}

impl Queued {
    /// Takes a place for a call that found the `subchannel` of this snapshot full, or keeps the one that it has there. The
    /// ticket outdates the snapshot. `None` if the snapshot knows no such subchannel.
    pub(super) fn enter(
        control: &Control,
        before: Option<Box<Self>>,
        subchannel: SubchannelId,
        snapshot: &Snapshot,
        ticket: Ticket,
    ) -> Option<Box<Self>> {
        let pool = &snapshot.ready(subchannel)?.pool;
        let kept = before.map(|before| before.place).filter(|place| place.is_in(pool));
        let place = kept.unwrap_or_else(|| pool.enter());
        let queued = Self { subchannel, place, picker: snapshot.picker.clone(), published: ticket.into_future() };
        queued.ask_for_more(control);
        Some(Box::new(queued))
    }

    /// Ready when the call has something to do.
    pub(super) fn poll(&mut self, control: &Control, cx: &mut Context<'_>) -> Poll<Next> {
        let mut fresh = false;
        while self.published.as_mut().poll(cx).is_ready() {
            // First the ticket, then the look: so that no snapshot is missed.
            self.published = control.board.subscribe().into_future();
            fresh = true;
        }
        let snapshot = control.board.load();
        let Some(ready) = snapshot.ready(self.subchannel) else { return Poll::Ready(Next::Pick) };
        if !ptr::addr_eq(Arc::as_ptr(&self.picker), Arc::as_ptr(&snapshot.picker)) {
            return Poll::Ready(Next::Pick);
        }
        self.place.poll_turn(cx).map(|turn| match turn {
            Turn::Called => Next::Enter(ReadySubchannel { connections: self.place.members(), ..ready.clone() }),
            Turn::Gone if fresh => Next::Pick,
            Turn::Gone => Next::Wait,
        })
    }

    /// It was this call's turn, and there was no stream after all.
    pub(super) fn stand_again(&self, control: &Control) {
        self.place.stand_again();
        self.ask_for_more(control);
    }

    /// What the call waits for; gives up the place.
    pub(super) fn into_wait(self) -> BoxFuture<'static, ()> {
        self.published
    }

    /// Why there is no stream.
    pub(super) fn obstacle(&self) -> String {
        self.place.obstacle()
    }

    fn ask_for_more(&self, control: &Control) {
        if self.place.wants_more() {
            control.tell(ControlEvent::Crowded(self.subchannel));
        }
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued").field("place", &self.place).finish_non_exhaustive()
    }
}
