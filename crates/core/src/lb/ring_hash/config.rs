//! The configuration of `ring_hash` (A42, A76).

use std::sync::Arc;

use serde_json::Value;

use super::{RingHash, ring::LARGEST_RING};
use crate::{
    json::{ConfigError, Node, Object},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyFactory},
    },
};

const MIN_RING_SIZE: u32 = 1024;
const MAX_RING_SIZE: u32 = 4096;

/// `ring_hash`'s configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// How many places the ring has at least: the more, the closer to the weights are the shares of the endpoints.
    /// 1024 if it does not say.
    pub min_ring_size: u32,
    /// How many it has at most. With more endpoints than that, some get no calls. 4096 if it does not say.
    pub max_ring_size: u32,
    /// The key (lower case, not `-bin`) of the request metadata whose values decide where a call goes (A76).
    pub request_hash_header: Option<Arc<str>>,
}

impl Default for Config {
    fn default() -> Self {
        Self { min_ring_size: MIN_RING_SIZE, max_ring_size: MAX_RING_SIZE, request_hash_header: None }
    }
}

impl Config {
    /// Reads a configuration; larger rings than `cap` allows are cut to it.
    fn parse(config: &Object<'_>, cap: u32) -> Result<Self, ConfigError> {
        let min_ring_size = config.optional("minRingSize", ring_size)?.flatten().unwrap_or(MIN_RING_SIZE);
        let max_ring_size = config.optional("maxRingSize", ring_size)?.flatten().unwrap_or(MAX_RING_SIZE);
        if min_ring_size > max_ring_size {
            let wrong = if config.get("maxRingSize").is_some() { "maxRingSize" } else { "minRingSize" };
            let reason = format!(
                "minRingSize ({min_ring_size}) must not be greater than maxRingSize ({max_ring_size}); the defaults \
                 are {MIN_RING_SIZE} and {MAX_RING_SIZE}"
            );
            return Err(ConfigError::new(config.path_of(wrong), reason));
        }
        Ok(Self {
            min_ring_size: min_ring_size.min(cap),
            max_ring_size: max_ring_size.min(cap),
            request_hash_header: config.optional("requestHashHeader", header)?.flatten(),
        })
    }
}

/// A size, of which zero says nothing, as in protobuf.
fn ring_size(node: &Node<'_>) -> Result<Option<u32>, ConfigError> {
    let size = node.u64()?;
    match u32::try_from(size).ok().filter(|size| *size <= LARGEST_RING) {
        Some(size) => Ok((size > 0).then_some(size)),
        None => Err(node.error(format!("must be at most {LARGEST_RING}, found {size}"))),
    }
}

/// A metadata key in lower case; the empty one says nothing.
fn header(node: &Node<'_>) -> Result<Option<Arc<str>>, ConfigError> {
    let key = node.text()?.to_ascii_lowercase();
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    if !key.bytes().all(known) {
        return Err(node.error(format!("must be a metadata key (letters, digits, '-', '_' and '.'), found {key:?}")));
    }
    if key.ends_with("-bin") {
        return Err(node.error(format!("must not be the key of a binary header (\"-bin\"), found {key:?}")));
    }
    Ok((!key.is_empty()).then(|| key.into()))
}

/// Makes `ring_hash` policies.
///
/// To allow rings of more than 4096 places, register it anew under both of its names:
///
/// ```
/// use thalweg_core::lb::{registry::Policies, ring_hash::Factory};
///
/// let factory = Factory::default().ring_size_cap(65_536);
/// let mut policies = Policies::builtin();
/// policies.register(factory).alias("ring_hash_experimental", factory);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Factory {
    cap: u32,
}

impl Factory {
    /// Larger sizes in a configuration count as `places`: A42's client-side cap, from 1 to 8,388,608. It is 4096 unless
    /// this is called. A place costs about 16 bytes.
    #[must_use]
    pub fn ring_size_cap(self, places: u32) -> Self {
        Self { cap: places.clamp(1, LARGEST_RING) }
    }
}

impl Default for Factory {
    fn default() -> Self {
        Self { cap: MAX_RING_SIZE }
    }
}

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "ring_hash"
    }

    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(Config::parse(&Node::root(config).object()?, self.cap)?))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(RingHash::default())
    }
}
