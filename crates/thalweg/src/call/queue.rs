//! A call in the queue of a subchannel all of whose connections are full (A105). It keeps its place until it is called up, or
//! until a newer snapshot has room for it elsewhere, or until the queue is sent away: because the subchannel has no connection
//! any more, or because the policy diverts its calls.

use std::{
    fmt, mem,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use thalweg_core::lb::SubchannelId;
use tonic::Code;

use super::observe::Observation;
use crate::{
    control::{Control, ControlEvent},
    rt::BoxFuture,
    snapshot::{ReadySubchannel, Snapshot, Ticket},
    subchannel::pool::{Place, Turn},
};

/// A place in the queue of one subchannel.
pub(super) struct Queued {
    subchannel: SubchannelId,
    place: Place,
    /// The call counts as the subchannel's from its pick on.
    observation: Option<Observation>,
    /// A snapshot is there that is newer than the one that was looked at last.
    published: BoxFuture<'static, ()>,
}

/// Why a call in the queue goes on.
pub(super) enum Next {
    /// To open its stream on one of these connections.
    Enter(ReadySubchannel),
    /// To ask the newer picker, and to come back if there is no room elsewhere.
    Look,
    /// To ask the picker: its place is gone.
    Leave,
    /// To wait for a snapshot that does not name the subchannel: its place is gone.
    Wait,
}

impl Queued {
    /// Takes a place for a call that found the `subchannel` of this snapshot full. The ticket outdates the snapshot. `None` if
    /// there is nothing to wait for.
    pub(super) fn enter(
        control: &Control,
        subchannel: SubchannelId,
        snapshot: &Arc<Snapshot>,
        ticket: Ticket,
        now: Instant,
    ) -> Option<Box<Self>> {
        let ready = snapshot.ready(subchannel)?;
        let place = ready.pool.enter();
        // Calls are diverted when the next snapshot is up, and whoever comes later must have seen it.
        if !Arc::ptr_eq(&control.board.load(), snapshot) {
            return None;
        }
        let observation = Some(Observation::begin(&ready.trackers, now));
        let queued = Box::new(Self { subchannel, place, observation, published: ticket.into_future() });
        queued.ask_for_more(control);
        Some(queued)
    }

    /// There is no room elsewhere, as of before this ticket. False if the place is gone by now.
    pub(super) fn stays(&mut self, ticket: Ticket) -> bool {
        self.published = ticket.into_future();
        self.place.is_kept()
    }

    /// Ready when the call has something to do.
    pub(super) fn poll(&mut self, control: &Control, cx: &mut Context<'_>) -> Poll<Next> {
        if self.published.as_mut().poll(cx).is_ready() {
            return Poll::Ready(if self.place.is_kept() { Next::Look } else { Next::Leave });
        }
        Poll::Ready(match ready!(self.place.poll_turn(cx)) {
            Turn::Called => match control.board.load().ready(self.subchannel) {
                Some(ready) => Next::Enter(ReadySubchannel { connections: self.place.members(), ..ready.clone() }),
                None => Next::Leave,
            },
            Turn::Diverted => Next::Leave,
            Turn::Gone => Next::Wait,
        })
    }

    /// It was this call's turn, and there was no stream after all.
    pub(super) fn stand_again(&self, control: &Control) {
        self.place.stand_again();
        self.ask_for_more(control);
    }

    /// The observation of a call that has got its stream.
    pub(super) fn into_observation(mut self) -> Option<Observation> {
        self.observation.take()
    }

    /// The call has ended here, with this code.
    pub(super) fn end(&mut self, code: Code) {
        if let Some(mut observation) = self.observation.take() {
            observation.give_up(code);
        }
    }

    /// What the call waits for; gives up the place.
    pub(super) fn into_wait(mut self) -> BoxFuture<'static, ()> {
        mem::replace(&mut self.published, Box::pin(std::future::ready(())))
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

impl Drop for Queued {
    fn drop(&mut self) {
        self.end(Code::Cancelled);
    }
}

impl fmt::Debug for Queued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queued").field("place", &self.place).finish_non_exhaustive()
    }
}
