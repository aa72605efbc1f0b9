//! One frame after the other: which may come now (RFC 9113 sections 3.4, 4.2 and 4.3), who reads it, and what a violation
//! ends (section 5.4).

use super::{
    Receiver, Sink,
    payload::Inbox,
    streams::{Absent, Phase},
};
use crate::{
    config::Role,
    error::{Code, Fault, Violation},
    exchange::Cut,
    frame::{HEAD, Head, PREFACE, flags, kind, push_promise},
};

/// How much of what is not HTTP/2 a text shows.
const SHOWN: usize = 40;

/// How far the connection has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// The client's preface is awaited.
    Preface,
    /// The peer's SETTINGS are awaited: its first frame.
    Settings,
    /// Any frame may come.
    Running,
}

impl<S> Receiver<S> {
    /// Takes all that can be taken; [`missing`](Self::missing) is set then.
    pub(super) fn frames<K: Sink<Stream = S>>(&mut self, inbox: &mut Inbox<'_>, sink: &mut K) -> Result<(), Violation> {
        if self.stage == Stage::Preface && !self.preface(inbox)? {
            return Ok(());
        }
        loop {
            if let Some(part) = self.part.take() {
                if !self.hand_on(part, inbox, sink) {
                    return Ok(());
                }
                self.effects.counters.frames_received += 1;
            }
            if inbox.len() < HEAD {
                self.missing = HEAD - inbox.len();
                return Ok(());
            }
            let head = Head::parse(inbox.rest());
            self.admit(&head, inbox.rest())?;
            let is_taken = if head.kind == kind::DATA {
                self.data(&head, inbox, sink)?
            } else {
                self.whole_frame(&head, inbox, sink)?
            };
            if !is_taken {
                return Ok(());
            }
            self.effects.counters.frames_received += 1;
        }
    }

    /// The client's preface, of which the first byte that differs is enough.
    fn preface(&mut self, inbox: &mut Inbox<'_>) -> Result<bool, Violation> {
        let sent = inbox.rest();
        let count = sent.len().min(PREFACE.len());
        if sent[..count] != PREFACE[..count] {
            return Err(foreign("client", sent));
        }
        self.missing = PREFACE.len() + HEAD - count;
        if count < PREFACE.len() {
            return Ok(false);
        }
        inbox.skip(count);
        self.stage = Stage::Settings;
        Ok(true)
    }

    /// Checks what can be told from the head alone.
    #[inline]
    fn admit(&mut self, head: &Head, rest: &[u8]) -> Result<(), Violation> {
        if self.stage != Stage::Running {
            self.first_frame(head, rest)?;
        }
        if head.len > self.frame_limit {
            let text = format!("{} has {} bytes of payload, above {}", describe(head), head.len, self.frame_limit);
            return Err(Violation::new(Code::FRAME_SIZE_ERROR, text));
        }
        let continues = self.assembly.as_ref().map(|assembly| assembly.stream());
        if continues.is_some() || head.kind == kind::CONTINUATION {
            self.continuation_due(head, continues)?;
        }
        Ok(())
    }

    fn first_frame(&mut self, head: &Head, rest: &[u8]) -> Result<(), Violation> {
        if head.kind == kind::SETTINGS {
            // Some peers acknowledge ours before they say theirs, which does no harm.
            if !head.has(flags::ACK) {
                self.stage = Stage::Running;
            }
            return Ok(());
        }
        if self.role == Role::Client && rest.starts_with(b"HTTP/") {
            return Err(foreign("server", rest));
        }
        let text = format!("the first frame is {} instead of SETTINGS", describe(head));
        Err(Violation::new(Code::PROTOCOL_ERROR, text))
    }

    /// CONTINUATION follows a header block that is not whole, and nothing else does (section 4.3).
    fn continuation_due(&self, head: &Head, due: Option<u32>) -> Result<(), Violation> {
        let text = match due {
            Some(stream) if head.kind == kind::CONTINUATION && head.stream == stream => return Ok(()),
            Some(stream) => format!("{} within the header block of stream {stream}", describe(head)),
            None => format!("{} without a header block to continue", describe(head)),
        };
        Err(Violation::new(Code::PROTOCOL_ERROR, text))
    }

    /// Any frame but DATA, once it is whole. The answer is whether it was.
    #[inline]
    fn whole_frame<K: Sink<Stream = S>>(
        &mut self,
        head: &Head,
        inbox: &mut Inbox<'_>,
        sink: &mut K,
    ) -> Result<bool, Violation> {
        let whole = HEAD + head.len;
        let Some(frame) = inbox.rest().get(..whole) else {
            self.missing = whole - inbox.len();
            return Ok(false);
        };
        let outcome = self.frame(head, &frame[HEAD..], sink);
        inbox.skip(whole);
        match outcome {
            Ok(()) => Ok(true),
            Err(fault) => self.answer(fault, sink).map(|()| true),
        }
    }

    #[inline]
    fn frame<K: Sink<Stream = S>>(&mut self, head: &Head, payload: &[u8], sink: &mut K) -> Result<(), Fault> {
        match head.kind {
            kind::HEADERS => self.headers(head, payload, sink),
            kind::CONTINUATION => self.continuation(head, payload, sink),
            kind::PRIORITY => self.priority(head, payload),
            kind::RST_STREAM => self.reset(head, payload, sink),
            kind::SETTINGS => self.settings(head, payload, sink),
            kind::PUSH_PROMISE => Err(push_promise::refuse(head)),
            kind::PING => self.ping(head, payload, sink),
            kind::GOAWAY => self.go_away(head, payload, sink),
            kind::WINDOW_UPDATE => self.window_update(head, payload),
            _ => Ok(self.budget.idle_frame()?),
        }
    }

    /// Ends what a fault ends: a stream here, the connection by handing the violation on.
    #[cold]
    pub(super) fn answer<K: Sink<Stream = S>>(&mut self, fault: Fault, sink: &mut K) -> Result<(), Violation> {
        match fault {
            Fault::Stream { stream, violation } => self.offended(stream, violation, sink),
            Fault::Connection(violation) => Err(violation),
        }
    }

    /// Resets a stream for what the peer did on it. One that was never opened cannot be reset (section 6.4): that ends
    /// the connection.
    fn offended<K: Sink<Stream = S>>(&mut self, id: u32, violation: Violation, sink: &mut K) -> Result<(), Violation> {
        let entry = self.streams.remove(id);
        if entry.is_none() && self.streams.absent(id) == Absent::Idle {
            return Err(violation);
        }
        self.effects.resets.push((id, violation.code));
        self.effects.counters.stream_errors += 1;
        self.streams.remember(id);
        if let Some(entry) = entry {
            sink.cut(&entry.stream, Cut::Violation(violation));
        }
        self.budget.stream_error()
    }

    /// A frame for a stream that is not there: whether its peer could not know that (section 5.1).
    #[cold]
    pub(super) fn gone(&self, head: &Head) -> Result<(), Fault> {
        match self.streams.absent(head.stream) {
            Absent::Forgiven => Ok(()),
            Absent::Idle => Err(self.idle(head)),
            Absent::Closed | Absent::Skipped => Err(closed(head)),
        }
    }

    /// The fault of a frame for a stream that nobody has opened.
    pub(super) fn idle(&self, head: &Head) -> Fault {
        let text = format!("{}, which is idle", describe(head));
        Fault::Connection(Violation::new(Code::PROTOCOL_ERROR, text))
    }

    /// The peer's side of a stream is over.
    pub(super) fn peer_ended(&mut self, id: u32) {
        self.effects.ended.push(id);
        match self.role {
            Role::Client => {
                self.streams.remove(id);
                self.budget.stream_ended_well();
            }
            Role::Server => {
                if let Some(entry) = self.streams.get_mut(id) {
                    entry.phase = Phase::Ended;
                }
            }
        }
    }
}

/// The fault of a frame that comes after the peer has ended its side.
#[cold]
pub(super) fn closed(head: &Head) -> Fault {
    let text = format!("{}, which has ended", describe(head));
    Fault::Stream { stream: head.stream, violation: Violation::new(Code::STREAM_CLOSED, text) }
}

/// The fault of a message that breaks a rule.
#[cold]
pub(super) fn malformed(head: &Head, rule: impl std::fmt::Display) -> Fault {
    let text = format!("{}: {rule}", describe(head));
    Fault::Stream { stream: head.stream, violation: Violation::new(Code::PROTOCOL_ERROR, text) }
}

/// The frame in words.
pub(super) fn describe(head: &Head) -> String {
    let name = kind::name(head.kind);
    if head.stream == 0 { name.to_owned() } else { format!("{name} on stream {}", head.stream) }
}

/// A peer that speaks something else.
#[cold]
fn foreign(who: &str, sent: &[u8]) -> Violation {
    let line = sent.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
    let shown = line[..line.len().min(SHOWN)].escape_ascii();
    Violation::new(Code::PROTOCOL_ERROR, format!("the {who} does not speak HTTP/2: it sent \"{shown}\""))
}
