//! The client channel: a lazily connected, cheaply cloned tower service for generated stubs.

/// A channel.
#[derive(Clone, Debug)]
pub struct Channel;
