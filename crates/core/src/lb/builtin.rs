//! Which policies every channel knows.

use super::{pick_first, priority, registry::Policies, round_robin, weighted_target};

impl Policies {
    /// The policies that come with this crate: `pick_first` (A62), `round_robin`, `priority` (A56) and
    /// `weighted_target` (A28).
    #[must_use]
    pub fn builtin() -> Self {
        let mut policies = Self::default();
        policies.register(pick_first::Factory).register(round_robin::Factory);
        for name in priority::NAMES {
            policies.register(priority::Factory::named(name));
        }
        for name in weighted_target::NAMES {
            policies.register(weighted_target::Factory::named(name));
        }
        policies
    }
}
