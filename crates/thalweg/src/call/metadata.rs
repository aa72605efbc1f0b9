//! How policies read what the transport has: a request's headers, and a response's trailers.

use base64::{Engine, prelude::BASE64_STANDARD_NO_PAD};
use http::{HeaderMap, HeaderValue};
use thalweg_core::metadata::Metadata;

use crate::transport::client::Fields;

/// Headers or trailers in a map.
pub(super) struct Headers<'a>(pub(super) &'a HeaderMap);

impl Metadata for Headers<'_> {
    fn each_value(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.get_all(key).into_iter().for_each(|value| tell(key, value, each));
    }
}

/// Headers or trailers as they came.
pub(super) struct Listed<'a>(pub(super) &'a Fields);

impl Metadata for Listed<'_> {
    fn each_value(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.list.iter().filter(|(name, _)| name == key).for_each(|(_, value)| tell(key, value, each));
    }
}

/// Tells a value; a binary one decoded, if it is what it should be.
fn tell(key: &str, value: &HeaderValue, each: &mut dyn FnMut(&[u8])) {
    if !key.ends_with("-bin") {
        each(value.as_bytes());
    } else if let Ok(decoded) = BASE64_STANDARD_NO_PAD.decode(value.as_bytes().trim_ascii_end()) {
        each(&decoded);
    }
}
