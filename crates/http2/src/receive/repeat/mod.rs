//! Header blocks that say again what the last one of their kind said: nearly every answer of a server does, and the end
//! of nearly every call.
//!
//! A block means the same as before if its bytes are the same, decoding them changed nothing in the dynamic table, and
//! nothing else has changed the table since.

#[cfg(test)]
mod tests;

use crate::{fields::Fields, head::Message, hpack::decoder::Decoder};

/// No longer block is kept, in bytes.
const LONGEST: usize = 64;

/// The last block without metadata, and what it says.
#[derive(Debug)]
pub(super) struct Repeat<H> {
    block: Vec<u8>,
    generation: u64,
    message: Option<Message<H>>,
}

impl<H> Default for Repeat<H> {
    fn default() -> Self {
        Self { block: Vec::new(), generation: 0, message: None }
    }
}

impl<H: Clone> Repeat<H> {
    /// What `block` says, if it is the one that is kept.
    #[inline]
    pub(super) fn find(&self, block: &[u8], decoder: &Decoder) -> Option<Message<H>> {
        if self.generation != decoder.generation() || *self.block != *block {
            return None;
        }
        self.message.clone()
    }

    /// Keeps what `block` says, whose decoding began in the generation `begun`. Metadata are not worth it: they differ.
    pub(super) fn keep(&mut self, block: &[u8], begun: u64, decoder: &Decoder, message: &Message<H>, fields: &Fields) {
        let is_plain = fields.list.is_empty() && !fields.cut;
        if !is_plain || block.len() > LONGEST || begun != decoder.generation() {
            return;
        }
        self.block.clear();
        self.block.extend_from_slice(block);
        self.generation = begun;
        self.message = Some(message.clone());
    }
}
