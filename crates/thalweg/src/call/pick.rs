//! One look at the snapshot: configure the call once, pick, and open a stream on the READY subchannel that was picked.

use std::{task::Context, time::Instant};

use thalweg_core::{
    connectivity::Connectivity,
    lb::{Failure, Pick, PickArgs, SubchannelId},
    status::{Code, Status as CoreStatus},
};
use tonic::Status;

use super::{Course, attempt::Attempt, head::Head, no_backend, observe::Observation, upload::UploadError};
use crate::{
    config::CallInfo,
    control::{Control, ControlEvent},
    credentials,
    error::{LocalError, control_plane},
    panics::caught,
    snapshot::{ReadySubchannel, Snapshot},
    transport::client::{Connection, OpenError, Opened},
};

/// What a look at the snapshot came to.
pub(super) enum Verdict {
    /// A stream is open.
    Attempt(Attempt),
    /// All connections of this subchannel have as many calls as the server allows.
    Full(SubchannelId),
    /// Look again at the next snapshot.
    Queue,
}

/// Looks at a snapshot.
pub(super) fn try_pick(
    control: &Control,
    snapshot: &Snapshot,
    course: &mut Course,
    now: Instant,
    cx: &mut Context<'_>,
) -> Result<Verdict, Status> {
    if snapshot.asleep {
        control.tell(ControlEvent::WakeUp);
        return Ok(Verdict::Queue);
    }
    if !configure(course, snapshot)? {
        course.story.obstructed(format!("{} has not resolved yet", control.facts.target));
        return Ok(Verdict::Queue);
    }
    if course.head.deadline.is_some_and(|deadline| now >= deadline) {
        return Err(course.story.deadline_exceeded(now));
    }
    match pick(control, &course.head, snapshot, now) {
        Pick::Use(id) => {
            let Some(ready) = snapshot.ready(id) else {
                course.story.obstructed("the load-balancing policy chose a subchannel that is not READY".into());
                return Ok(Verdict::Queue);
            };
            Ok(match open(control, course, ready, false, now, cx)? {
                Opening::Open(opened) => {
                    Verdict::Attempt(Attempt::new(opened, Observation::begin(&ready.trackers, now)))
                }
                Opening::Full => Verdict::Full(id),
                Opening::Unusable => Verdict::Queue,
            })
        }
        Pick::Queue => Ok(Verdict::Queue),
        Pick::Fail(failure) => {
            let text = tell(&failure, &control.facts.target, now);
            if course.head.wait_for_ready {
                course.story.obstructed(text);
                return Ok(Verdict::Queue);
            }
            let text = text + &course.story.waited(now);
            Err(no_backend(CoreStatus::new(failure.code(), text)))
        }
        Pick::Drop(status) if snapshot.state == Connectivity::Shutdown => {
            Err(control_plane(status, LocalError::Shutdown))
        }
        Pick::Drop(status) => Err(no_backend(status)),
    }
}

/// Asks the selector, once per call. `false`: there is none yet, because the name has not resolved.
fn configure(course: &mut Course, snapshot: &Snapshot) -> Result<bool, Status> {
    let Course { head, upload, story } = course;
    if head.configured {
        return Ok(true);
    }
    let Some(selector) = &snapshot.selector else { return Ok(false) };
    let config = {
        let metadata = head.metadata();
        selector.select(&CallInfo { method: head.path.path(), metadata: &metadata }).map_err(no_backend)?
    };
    story.unobstructed();
    head.configure(config.method.as_deref(), config.hash, story.begun());
    upload.limit(head.max_send);
    Ok(true)
}

fn pick(control: &Control, head: &Head, snapshot: &Snapshot, now: Instant) -> Pick {
    let metadata = head.metadata();
    let mut args = PickArgs::new(head.path.path(), now, fastrand::u64(..));
    args.metadata = &metadata;
    args.hash = head.hash;
    args.deadline = head.deadline;
    let pick = caught(|| snapshot.picker.pick(&args)).unwrap_or_else(|panic| {
        // The driver knows whose it is, and puts up a snapshot without it.
        control.tell(ControlEvent::PickerPanicked(snapshot.picker.clone(), panic));
        Pick::Queue
    });
    if let Some(wake) = args.wanted() {
        control.tell(ControlEvent::Wake(wake));
    }
    pick
}

/// What became of the attempt to open a stream.
pub(super) enum Opening {
    /// It is open.
    Open(Opened),
    /// No connection has room.
    Full,
    /// Wait for the next snapshot.
    Unusable,
}

/// Opens a stream on the oldest connection that has room (A105). One that takes no more calls is reported.
pub(super) fn open(
    control: &Control,
    course: &mut Course,
    ready: &ReadySubchannel,
    turn: bool,
    now: Instant,
    cx: &mut Context<'_>,
) -> Result<Opening, Status> {
    let first = match course.upload.first(cx) {
        Ok(first) => first,
        Err(UploadError::Request(status)) => return Err(status),
        Err(UploadError::Broken) => return Ok(Opening::Unusable),
    };
    let head = course.head.to_request(&control.facts, now);
    let mut opening = Opening::Unusable;
    for member in &ready.connections {
        let connection = &member.connection;
        check_authority(&course.head, ready, connection)?;
        match connection.open(&head, &mut first.chunk, first.end, cx.waker(), turn) {
            Ok(opened) => {
                course.upload.sent_first();
                course.story.sent(now, ready.address.clone());
                return Ok(Opening::Open(opened));
            }
            Err(OpenError::Full) => opening = Opening::Full,
            Err(OpenError::Unusable) => control.tell(ControlEvent::Unusable(ready.key(member.attempt))),
            Err(OpenError::HeadersTooLarge { size, limit }) => {
                let text = format!(
                    "request metadata of {size} bytes is larger than {} accepts ({limit} bytes)",
                    ready.address
                );
                return Err(LocalError::MetadataTooLarge { size, limit }.status(tonic::Code::ResourceExhausted, text));
            }
        }
    }
    Ok(opening)
}

/// A call that bears an authority of its own goes only where the server has proven to be it (A81).
fn check_authority(head: &Head, ready: &ReadySubchannel, connection: &Connection) -> Result<(), Status> {
    let Some(authority) = head.own_authority() else { return Ok(()) };
    if credentials::covers(connection.peer(), authority.host()) {
        return Ok(());
    }
    let text = format!("the certificate of {} does not cover the call's authority {authority}", ready.address);
    Err(LocalError::AuthorityNotCovered.status(tonic::Code::Unavailable, text))
}

/// Why no backend can be used, with the target.
fn tell(failure: &Failure, target: &str, now: Instant) -> String {
    match failure.code() {
        Code::Unavailable => format!("no backend of {target} can be used: {}", failure.at(now)),
        _ => failure.at(now).to_string(),
    }
}
