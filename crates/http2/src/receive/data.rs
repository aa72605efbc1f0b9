//! DATA (RFC 9113 section 6.1): under flow control (section 5.2), within its content-length (section 8.1.1), and handed on
//! as it comes.

use super::{
    Receiver, Sink,
    frames::{closed, describe, malformed},
    payload::{Inbox, SHARE},
    streams::Phase,
};
use crate::{
    bdp::PROBE,
    config::TINY,
    error::{Code, Fault, Violation},
    flow::Exceeded,
    frame::{HEAD, Head, data, data::Padding, flags},
};

/// What is left of a DATA frame.
#[derive(Debug)]
pub(super) struct Part {
    stream: u32,
    /// Bytes of data still to hand on.
    left: usize,
    /// Bytes of padding after them.
    pad: usize,
    /// Whether the peer's side of the stream ends with it.
    end: bool,
    /// Whether the end is still to be told.
    is_open: bool,
}

impl<S> Receiver<S> {
    /// Begins with a frame of which at least the head is there. The answer is whether all of it was taken.
    #[inline]
    pub(super) fn data<K: Sink<Stream = S>>(
        &mut self,
        head: &Head,
        inbox: &mut Inbox<'_>,
        sink: &mut K,
    ) -> Result<bool, Violation> {
        let there = inbox.len() - HEAD;
        if there < head.len && there < SHARE {
            self.missing = head.len - there;
            return Ok(false);
        }
        let first = inbox.rest().get(HEAD).copied().filter(|_| head.len > 0);
        let padding = match data::padding(head, first) {
            Ok(padding) => padding,
            Err(Fault::Stream { violation, .. } | Fault::Connection(violation)) => return Err(violation),
        };
        self.charge(head)?;
        inbox.skip(HEAD + padding.skip);
        let left = head.len - padding.skip - padding.pad;
        let is_wanted = match self.expects(head, padding, left) {
            Ok(is_wanted) => is_wanted,
            Err(fault) => self.answer(fault, sink).map(|()| false)?,
        };
        let end = head.has(flags::END_STREAM);
        let part = Part { stream: head.stream, left, pad: padding.pad, end, is_open: is_wanted };
        if left < TINY && !end {
            return self.tiny(part, inbox, sink);
        }
        if is_wanted {
            self.budget.useful_frame();
        }
        Ok(self.hand_on(part, inbox, sink))
    }

    /// A few bytes are good for something if a message ends in them. Of those that nobody wants the peer could not know.
    #[inline]
    fn tiny<K: Sink<Stream = S>>(
        &mut self,
        part: Part,
        inbox: &mut Inbox<'_>,
        sink: &mut K,
    ) -> Result<bool, Violation> {
        let (is_empty, is_wanted) = (part.left == 0, part.is_open);
        let before = self.effects.counters.messages_received;
        let is_taken = self.hand_on(part, inbox, sink);
        if is_empty {
            self.budget.idle_frame()?;
        } else if self.effects.counters.messages_received > before {
            self.budget.useful_frame();
        } else if is_wanted {
            self.budget.tiny_data()?;
        }
        Ok(is_taken)
    }

    /// Counts the frame against the connection's window, whatever becomes of it.
    #[inline]
    fn charge(&mut self, head: &Head) -> Result<(), Violation> {
        let bytes = head.len as u32;
        self.window.receive(bytes).map_err(|exceeded| overflow("the connection's window", head, exceeded))?;
        self.effects.received += bytes;
        if let Some(estimate) = &mut self.estimate
            && estimate.received(bytes, self.now)
        {
            self.effects.probe = Some(PROBE);
        }
        Ok(())
    }

    /// Whether the stream takes the frame, of which `bytes` are data.
    #[inline]
    fn expects(&mut self, head: &Head, padding: Padding, bytes: usize) -> Result<bool, Fault> {
        let Some(entry) = self.streams.get_mut(head.stream) else { return self.gone(head).map(|()| false) };
        match entry.phase {
            Phase::Body => {}
            Phase::Head => return Err(malformed(head, "it comes before the head of the response")),
            Phase::Ended => return Err(closed(head)),
        }
        if let Err(exceeded) = entry.window.receive(head.len as u32) {
            let violation = overflow("its window", head, exceeded);
            return Err(Fault::Stream { stream: head.stream, violation });
        }
        if let Some(left) = entry.content_left {
            let left = left.checked_sub(bytes as u64).filter(|left| *left == 0 || !head.has(flags::END_STREAM));
            let rule = "the body is not as long as its content-length";
            entry.content_left = Some(left.ok_or_else(|| malformed(head, rule))?);
        }
        let unread = padding.skip + padding.pad;
        if unread > 0 {
            self.effects.padding.push((head.stream, unread as u32));
        }
        Ok(true)
    }

    /// Hands on what is there of a frame. The answer is whether that was all; otherwise the rest is kept.
    #[inline]
    pub(super) fn hand_on<K: Sink<Stream = S>>(&mut self, mut part: Part, inbox: &mut Inbox<'_>, sink: &mut K) -> bool {
        let count = part.left.min(inbox.len());
        if count < part.left && count < SHARE {
            return self.wait(part, inbox);
        }
        part.left -= count;
        let end = part.end && part.left == 0;
        let entry = if part.is_open { self.streams.get_mut(part.stream) } else { None };
        match entry {
            Some(entry) if count > 0 || end => {
                if let Some(messages) = &mut entry.messages {
                    self.effects.counters.messages_received += messages.follow(&inbox.rest()[..count]);
                }
                inbox.hand_on(count, |payload| sink.data(&entry.stream, payload, end));
                if end {
                    self.peer_ended(part.stream);
                }
            }
            _ => inbox.skip(count),
        }
        part.is_open &= part.left > 0;
        if part.left > 0 {
            return self.wait(part, inbox);
        }
        let pad = part.pad.min(inbox.len());
        inbox.skip(pad);
        part.pad -= pad;
        part.pad == 0 || self.wait(part, inbox)
    }

    /// Keeps what is left of a frame until more has come.
    fn wait(&mut self, part: Part, inbox: &Inbox<'_>) -> bool {
        self.missing = (part.left + part.pad).saturating_sub(inbox.len());
        self.part = Some(part);
        false
    }
}

#[cold]
fn overflow(window: &str, head: &Head, Exceeded { sent, allowed }: Exceeded) -> Violation {
    let text = format!("{}: {sent} bytes where {window} allows {allowed}", describe(head));
    Violation::new(Code::FLOW_CONTROL_ERROR, text)
}
