//! Follows the length prefixes in a stream of messages, to refuse a message before it is buffered
//! (doc/PROTOCOL-HTTP2, "Length-Prefixed-Message").

#[cfg(test)]
mod tests;

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
    let Some(([_, size @ ..], message)) = bytes.split_first_chunk::<5>() else { return false };
    u32::from_be_bytes(*size) as usize == message.len() && message.len() <= limit
}

/// Reads prefixes wherever the chunks are cut.
#[derive(Debug)]
pub(crate) struct Prefixes {
    limit: usize,
    /// What is known of the next prefix.
    prefix: [u8; 5],
    known: usize,
    /// What is left of the present message.
    left: usize,
}

impl Prefixes {
    /// Messages may have `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, prefix: [0; 5], known: 0, left: 0 }
    }

    /// Looks at the next chunk.
    pub(crate) fn follow(&mut self, mut chunk: &[u8]) -> Result<(), TooLarge> {
        let whole = chunk.len();
        while !chunk.is_empty() {
            if self.left > 0 {
                let skip = self.left.min(chunk.len());
                self.left -= skip;
                chunk = &chunk[skip..];
                continue;
            }
            let take = (self.prefix.len() - self.known).min(chunk.len());
            self.prefix[self.known..self.known + take].copy_from_slice(&chunk[..take]);
            self.known += take;
            chunk = &chunk[take..];
            if self.known == self.prefix.len() {
                self.known = 0;
                let [_, size @ ..] = self.prefix;
                self.left = u32::from_be_bytes(size) as usize;
                if self.left > self.limit {
                    let before = (whole - chunk.len()).saturating_sub(self.prefix.len());
                    return Err(TooLarge { size: self.left, limit: self.limit, before });
                }
            }
        }
        Ok(())
    }

    /// Is the stream between two messages?
    pub(crate) fn is_between(&self) -> bool {
        self.known == 0 && self.left == 0
    }
}
