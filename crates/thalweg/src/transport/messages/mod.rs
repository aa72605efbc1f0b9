//! Follows the length prefixes in a stream of messages, to refuse a message before it is buffered
//! (doc/PROTOCOL-HTTP2, "Length-Prefixed-Message").

#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use thalweg_http2::messages::{Messages, PREFIX, whole_message};

/// A message is larger than its limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooLarge {
    /// Bytes, as in the prefix.
    pub(crate) size: usize,
    /// Bytes.
    pub(crate) limit: usize,
    /// Bytes of the chunk that belong to the messages before it.
    pub(crate) before: usize,
}

/// Is this just one whole message, of no more than `limit` bytes?
pub(crate) fn is_one_message(bytes: &[u8], limit: usize) -> bool {
    whole_message(bytes).is_some_and(|message| message.len() <= limit)
}

/// Reads prefixes wherever the chunks are cut.
#[derive(Debug)]
pub(crate) struct Prefixes {
    limit: usize,
    messages: Messages,
}

impl Prefixes {
    /// Messages may have `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, messages: Messages::new() }
    }

    /// Looks at the next chunk.
    pub(crate) fn follow(&mut self, chunk: &[u8]) -> Result<(), TooLarge> {
        let limit = self.limit;
        let walked = self.messages.walk(chunk, |size, at| {
            let size = size as usize;
            if size <= limit {
                return ControlFlow::Continue(());
            }
            ControlFlow::Break(TooLarge { size, limit, before: at.saturating_sub(PREFIX) })
        });
        match walked {
            ControlFlow::Continue(_) => Ok(()),
            ControlFlow::Break(refused) => Err(refused),
        }
    }

    /// Is the stream between two messages?
    pub(crate) fn is_between(&self) -> bool {
        self.messages.is_between()
    }
}
