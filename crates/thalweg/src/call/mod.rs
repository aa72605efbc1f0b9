//! The life of one call: configure, pick, attempt, answer.
//!
//! A call is a future that owns everything it needs and reads the channel's snapshots; it never waits on the channel's
//! driver, except to be told that a newer snapshot exists. What it does, in order:
//!
//! 1. take its options, deadline and metadata from the request ([`head`]);
//! 2. get call credentials, if there are any;
//! 3. read the snapshot: the selector configures the call (A31), the picker picks a READY subchannel ([`pick`]);
//! 4. open a stream there and send until the response's head comes ([`attempt`], [`upload`]);
//!    if all connections of the subchannel are full, wait in its queue first ([`queue`], A105);
//!    if the server certainly did not process the call, go back to 3 (transparent retry, A6);
//! 5. hand the response over; its body goes on under the same deadline ([`body`]).

mod attempt;
mod pick;
mod queue;

mod body;
mod response;

mod head;
mod upload;

mod metadata;
mod observe;
mod story;

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Instant,
};

use http::{HeaderMap, Request, Response};
use thalweg_core::{connectivity::Connectivity, lb::SubchannelId};
use tonic::Status;

pub use self::body::ResponseBody;
use self::{
    attempt::{Attempt, Outcome},
    body::Rest,
    head::Head,
    observe::Observation,
    pick::{Opening, Verdict},
    queue::{Next, Queued},
    story::Story,
    upload::Upload,
};
use crate::{
    control::Control,
    error::{LocalError, Processed},
    rt::{self, Alarm, BoxFuture},
    snapshot::{ReadySubchannel, Snapshot, Ticket},
    transport::client::{ResponseHead, Whole},
};

/// The response to a call, to come.
#[derive(Debug)]
#[must_use = "a call does nothing unless it is awaited"]
pub struct ResponseFuture(Fate);

/// What becomes of a call.
#[derive(Debug)]
enum Fate {
    /// It failed before it began.
    Refused(Status),
    /// It is under way. In a box: it is moved from hand to hand before it is first polled.
    Going(Box<Going>),
    Over,
}

#[derive(Debug)]
struct Going {
    stage: Stage,
    call: Call,
}

/// What a call carries from stage to stage.
#[derive(Debug)]
struct Call {
    active: Active,
    course: Course,
    alarm: Alarm,
    /// Its place in the queue of a subchannel, if it has one.
    queued: Option<Box<Queued>>,
    /// The time, while nothing has been waited for: a look at the clock less.
    now: Option<Instant>,
    /// A6: the server may refuse a call once without the application noticing.
    refused: bool,
}

/// What a look at the snapshot reads and writes.
#[derive(Debug)]
struct Course {
    head: Head,
    upload: Upload,
    story: Story,
}

enum Stage {
    Credentials(BoxFuture<'static, Result<HeaderMap, Status>>),
    Pick,
    /// For the next snapshot.
    Wait(BoxFuture<'static, ()>),
    /// For its turn, in the place that it has.
    Queue,
    Attempt(Attempt),
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Credentials(_) => "Credentials",
            Self::Pick => "Pick",
            Self::Wait(_) => "Wait",
            Self::Queue => "Queue",
            Self::Attempt(_) => "Attempt",
        })
    }
}

/// Counts a call among the active ones for as long as it lives.
#[derive(Debug)]
struct Active(Arc<Control>);

impl Active {
    fn enter(control: &Arc<Control>) -> Self {
        control.board.enter();
        Self(control.clone())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        self.0.board.leave();
    }
}

impl ResponseFuture {
    /// Begins a call.
    pub(crate) fn new(control: &Arc<Control>, request: Request<tonic::body::Body>) -> Self {
        let now = rt::now();
        let active = Active::enter(control);
        let (parts, body) = request.into_parts();
        let head = match Head::new(parts, &control.facts, now) {
            Ok(head) => head,
            Err(status) => return Self(Fate::Refused(status)),
        };
        let credentials = head.credentials(&control.facts);
        let story = Story::new(now, credentials.is_some());
        let fresh = credentials.is_none().then_some(now);
        let stage = credentials.map_or(Stage::Pick, Stage::Credentials);
        let upload = Upload::new(body, control.facts.replay_buffer);
        let course = Course { head, upload, story };
        let call = Call { active, course, alarm: Alarm::default(), queued: None, now: fresh, refused: false };
        Self(Fate::Going(Box::new(Going { stage, call })))
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<ResponseBody>, Status>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Fate::Going(going) = &mut self.0 else {
            return match mem::replace(&mut self.0, Fate::Over) {
                Fate::Refused(status) => Poll::Ready(Err(status)),
                Fate::Going(_) | Fate::Over => panic!("a call was polled after it had ended"),
            };
        };
        // Calls that fail at once, in a loop, must not keep the channel's driver from its turn.
        ready!(rt::poll_turn(cx));
        let Going { stage, call } = &mut **going;
        let ended = match call.poll_stages(stage, cx) {
            Poll::Ready(ended) => ended,
            // On an open stream the connection watches the deadline.
            Poll::Pending if matches!(stage, Stage::Attempt(_)) => return Poll::Pending,
            Poll::Pending => Err(ready!(call.poll_deadline(cx))),
        };
        let Fate::Going(going) = mem::replace(&mut self.0, Fate::Over) else { return Poll::Pending };
        Poll::Ready(match ended {
            Ok((head, whole)) => going.answer(head, whole),
            Err(status) => Err(going.fail(status)),
        })
    }
}

impl Going {
    fn fail(mut self: Box<Self>, status: Status) -> Status {
        if let Stage::Attempt(attempt) = &mut self.stage {
            attempt.end(status.code());
        }
        if let Some(queued) = &mut self.call.queued {
            queued.end(status.code());
        }
        status
    }

    /// Hands the response over. If it is not whole, what is left of the request goes on in a task.
    fn answer(mut self: Box<Self>, head: ResponseHead, whole: Option<Whole>) -> Result<Response<ResponseBody>, Status> {
        let Self { stage: Stage::Attempt(attempt), call } = &mut *self else {
            return Err(Status::internal("a response without an attempt"));
        };
        let peer = call.course.head.wants_peer().then(|| attempt.receive.peer().clone());
        let max_receive = call.course.head.max_receive;
        let body = match whole.map(|whole| response::accept_whole(&head, whole, max_receive, attempt)) {
            Some(Ok(body)) => body,
            not_whole => {
                if let Some(Err(whole)) = not_whole {
                    attempt.receive.put_back(whole);
                }
                let Self { stage: Stage::Attempt(attempt), call } = *self else {
                    return Err(Status::internal("a response without an attempt"));
                };
                call.stream(&head, attempt)?
            }
        };
        let mut response = response::assemble(head, body);
        peer.map(|peer| response.extensions_mut().insert(peer));
        Ok(response)
    }
}

impl Call {
    /// Runs from stage to stage until the response's head is there.
    fn poll_stages(
        &mut self,
        stage: &mut Stage,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(ResponseHead, Option<Whole>), Status>> {
        loop {
            *stage = match stage {
                Stage::Credentials(fetching) => {
                    let metadata = ready!(fetching.as_mut().poll(cx))?;
                    let Course { head, story, .. } = &mut self.course;
                    head.add(metadata, &self.active.0.facts)?;
                    story.proven(rt::now());
                    Stage::Pick
                }
                Stage::Pick => self.pick(cx)?,
                Stage::Wait(published) => {
                    ready!(published.as_mut().poll(cx));
                    Stage::Pick
                }
                Stage::Queue => ready!(self.poll_queue(cx))?,
                Stage::Attempt(attempt) => match ready!(attempt.poll(&mut self.course.upload, cx)) {
                    Outcome::Answered(head, whole) => return Poll::Ready(Ok((head, whole))),
                    Outcome::Failed(status) => return Poll::Ready(Err(status)),
                    Outcome::Broken(error) => {
                        let again = error.processed == Processed::No && !self.refused && self.course.upload.rewind();
                        if !again {
                            let Course { head, story, .. } = &self.course;
                            let status = story.broken(error, head.deadline, rt::now());
                            return Poll::Ready(Err(status));
                        }
                        self.refused = true;
                        self.course.story.refused(&error);
                        attempt.end(tonic::Code::Unavailable);
                        Stage::Pick
                    }
                },
            };
        }
    }

    /// The stage after a look at the snapshot. Whoever has to wait takes a ticket and looks again, so that no snapshot
    /// is missed.
    fn pick(&mut self, cx: &mut Context<'_>) -> Result<Stage, Status> {
        let (control, now) = (&*self.active.0, self.now.take().unwrap_or_else(rt::now));
        // While the channel is READY there is mostly nothing to wait for.
        let mut ticket = None;
        loop {
            let mut snapshot = control.board.load();
            if snapshot.state != Connectivity::Ready && ticket.is_none() {
                ticket = Some(control.board.subscribe());
                snapshot = control.board.load();
            }
            match (pick::try_pick(control, &snapshot, &mut self.course, now, cx)?, ticket.take()) {
                (Verdict::Attempt(attempt), _) => {
                    self.queued = None;
                    return Ok(Stage::Attempt(attempt));
                }
                (Verdict::Full(subchannel), seen) => {
                    let is_seen = seen.is_some();
                    let ticket_now = seen.unwrap_or_else(|| control.board.subscribe());
                    if is_seen || Arc::ptr_eq(&control.board.load(), &snapshot) {
                        return Ok(self.line_up(subchannel, &snapshot, ticket_now, now));
                    }
                    ticket = Some(ticket_now);
                }
                (Verdict::Queue, Some(seen)) => return Ok(self.wait(seen)),
                (Verdict::Queue, None) => ticket = Some(control.board.subscribe()),
            }
        }
    }

    /// The stage after a subchannel was found full. Whoever waits at another keeps the place there.
    fn line_up(&mut self, subchannel: SubchannelId, snapshot: &Arc<Snapshot>, ticket: Ticket, now: Instant) -> Stage {
        if self.queued.is_some() {
            return self.wait(ticket);
        }
        self.queued = Queued::enter(&self.active.0, subchannel, snapshot, ticket, now);
        if let Some(ready) = snapshot.ready(subchannel) {
            self.course.story.queued(now, &ready.address);
        }
        Stage::Queue
    }

    /// The stage after there was nothing to be had: in the queue, if the call has a place there.
    fn wait(&mut self, ticket: Ticket) -> Stage {
        let Some(queued) = &mut self.queued else { return Stage::Wait(ticket.into_future()) };
        if queued.stays(ticket) {
            return Stage::Queue;
        }
        self.leave_queue();
        Stage::Pick
    }

    /// The stage after the queue.
    fn poll_queue(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stage, Status>> {
        let Some(queued) = &mut self.queued else { return Poll::Ready(Ok(Stage::Pick)) };
        Poll::Ready(Ok(match ready!(queued.poll(&self.active.0, cx)) {
            Next::Enter(ready) => self.enter(&ready, cx)?,
            Next::Look => Stage::Pick,
            Next::Leave => {
                self.leave_queue();
                Stage::Pick
            }
            Next::Wait => match self.leave_queue() {
                Some(queued) => Stage::Wait(queued.into_wait()),
                None => Stage::Pick,
            },
        }))
    }

    /// Opens a stream on a connection that had no room before. The room is this call's: taking it elsewhere would leave
    /// others waiting.
    fn enter(&mut self, ready: &ReadySubchannel, cx: &mut Context<'_>) -> Result<Stage, Status> {
        match pick::open(&self.active.0, &mut self.course, ready, true, rt::now(), cx)? {
            Opening::Open(opened) => {
                let observation = self.queued.take().and_then(|queued| queued.into_observation());
                let observation = observation.unwrap_or_else(|| Observation::begin(&ready.trackers, rt::now()));
                Ok(Stage::Attempt(Attempt::new(opened, observation)))
            }
            Opening::Full | Opening::Unusable => {
                if let Some(queued) = &self.queued {
                    queued.stand_again(&self.active.0);
                }
                Ok(Stage::Queue)
            }
        }
    }

    /// Gives up the place in a queue, if there is one, without a stream.
    fn leave_queue(&mut self) -> Option<Box<Queued>> {
        self.course.story.left_queue(rt::now());
        self.queued.take()
    }

    /// Ready when the deadline has passed.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Status> {
        let Some(deadline) = self.course.head.deadline else { return Poll::Pending };
        self.alarm.set(Some(deadline));
        ready!(self.alarm.poll_ring(cx));
        if let Some(queued) = &self.queued {
            self.course.story.obstructed(queued.obstacle());
        }
        Poll::Ready(self.course.story.deadline_exceeded(rt::now()))
    }

    /// The body of a response that goes on; so does what is left of the request, in a task.
    fn stream(self, head: &ResponseHead, attempt: Attempt) -> Result<ResponseBody, Status> {
        let Self { active, course: Course { head: request, upload, mut story }, alarm, .. } = self;
        if request.deadline.is_some() {
            story.answered(rt::now());
        }
        let rest = Rest { story, deadline: request.deadline, alarm, _active: active };
        response::accept(head, attempt, upload, request.max_receive, rest)
    }
}

/// The status of a call that ends because the channel's policy or resolver says so.
fn no_backend(status: thalweg_core::status::Status) -> Status {
    crate::error::control_plane(status, LocalError::NoBackend)
}
