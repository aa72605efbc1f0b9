//! Which policies every channel knows.

use super::{pick_first, registry::Policies, round_robin};

impl Policies {
    /// The policies that come with this crate: `pick_first` (A62) and `round_robin`.
    #[must_use]
    pub fn builtin() -> Self {
        let mut policies = Self::default();
        policies.register(pick_first::Factory).register(round_robin::Factory);
        policies
    }
}
