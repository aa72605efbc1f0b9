//! One look at the snapshot: configure the call once, pick, and open a stream on the READY subchannel that was picked.

use std::time::Instant;

use thalweg_core::{
    lb::{Failure, Pick, PickArgs},
    status::{Code, Status as CoreStatus},
};
use tonic::Status;

use super::{Call, attempt::Attempt, no_backend, observe::Observation};
use crate::{
    config::CallInfo,
    control::ControlEvent,
    snapshot::{ReadySubchannel, Snapshot},
};

/// What a look at the snapshot came to.
pub(super) enum Verdict {
    /// A stream is open.
    Attempt(Attempt),
    /// Look again at the next snapshot.
    Queue,
}

/// Looks at the present snapshot.
pub(super) fn try_pick(call: &mut Call, now: Instant) -> Result<Verdict, Status> {
    let control = call.control.clone();
    let snapshot = control.board.load();
    if snapshot.asleep {
        control.tell(ControlEvent::WakeUp);
        return Ok(Verdict::Queue);
    }
    if !configure(call, &snapshot)? {
        return Ok(Verdict::Queue);
    }
    if call.head.deadline.is_some_and(|deadline| now >= deadline) {
        return Err(call.story.deadline_exceeded(now));
    }
    match pick(call, &snapshot, now) {
        Pick::Use(id) => Ok(snapshot.ready(id).map_or(Verdict::Queue, |ready| open(call, ready, now))),
        Pick::Queue => Ok(Verdict::Queue),
        Pick::Fail(failure) => {
            let text = tell(&failure, &control.facts.target, now);
            if call.head.wait_for_ready {
                call.story.obstructed(text);
                return Ok(Verdict::Queue);
            }
            Err(no_backend(CoreStatus::new(failure.code(), text)))
        }
        Pick::Drop(status) => Err(no_backend(status)),
    }
}

/// Asks the selector, once per call. `false`: there is none yet, because the name has not resolved.
fn configure(call: &mut Call, snapshot: &Snapshot) -> Result<bool, Status> {
    if call.head.configured {
        return Ok(true);
    }
    let Some(selector) = &snapshot.selector else { return Ok(false) };
    let config = {
        let metadata = call.head.metadata();
        selector.select(&CallInfo { method: call.head.path.path(), metadata: &metadata }).map_err(no_backend)?
    };
    call.head.configure(config.method.as_deref(), config.hash, call.story.begun());
    call.upload.limit(call.head.max_send);
    Ok(true)
}

fn pick(call: &Call, snapshot: &Snapshot, now: Instant) -> Pick {
    let metadata = call.head.metadata();
    let mut args = PickArgs::new(call.head.path.path(), now, fastrand::u64(..));
    args.metadata = &metadata;
    args.hash = call.head.hash;
    args.deadline = call.head.deadline;
    let pick = snapshot.picker.pick(&args);
    if let Some(wake) = args.wanted() {
        call.control.tell(ControlEvent::Wake(wake));
    }
    pick
}

/// Opens a stream. A connection that takes no more calls is reported, and the call waits for the next snapshot.
fn open(call: &mut Call, ready: &ReadySubchannel, now: Instant) -> Verdict {
    let opened = ready.connection.open(&call.head.to_request(&call.control.facts, now));
    let Ok((send, receive)) = opened else {
        call.report_unusable(ready.id);
        return Verdict::Queue;
    };
    call.story.sent(now, ready.address.clone());
    let observation = Observation::begin(&ready.trackers, now);
    Verdict::Attempt(Attempt::new(send, receive, observation))
}

/// Why no backend can be used, with the target.
fn tell(failure: &Failure, target: &str, now: Instant) -> String {
    match failure {
        Failure::Backends { .. } => format!("no backend of {target} is reachable: {}", failure.at(now)),
        Failure::Status(status) if status.code() == Code::Unavailable => {
            format!("no backend of {target} is known: {}", failure.at(now))
        }
        Failure::Status(_) => failure.at(now).to_string(),
    }
}
