//! How a picker reads a call's metadata without caring how the transport keeps it.

/// The request metadata of one call, read by key.
pub trait Metadata {
    /// Calls `each` with every value of `key` (lower case), in order. Binary values (`-bin` keys) come decoded.
    fn each_value(&self, key: &str, each: &mut dyn FnMut(&[u8]));

    /// All values of `key`, joined with commas as HTTP does; `None` if there is none.
    fn joined(&self, key: &str) -> Option<Vec<u8>> {
        let mut all: Option<Vec<u8>> = None;
        self.each_value(key, &mut |value| match &mut all {
            Some(so_far) => {
                so_far.push(b',');
                so_far.extend_from_slice(value);
            }
            None => all = Some(value.to_vec()),
        });
        all
    }
}

/// No metadata at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMetadata;

impl Metadata for NoMetadata {
    fn each_value(&self, _: &str, _: &mut dyn FnMut(&[u8])) {}
}
