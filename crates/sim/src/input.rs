//! What a channel can tell a policy.

use thalweg_core::{
    lb::{Event, Resolution},
    status::Status,
};

/// One call of a policy.
#[derive(Clone, Debug)]
pub enum Input {
    /// `on_event`.
    Event(Event),
    /// `on_resolution`.
    Resolution(Resolution),
    /// `on_resolver_error`.
    ResolverError(Status),
    /// `exit_idle`.
    ExitIdle,
}
