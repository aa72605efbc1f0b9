//! Which policies every channel knows.

use super::{least_request, peak_ewma, pick_first, priority, random, registry::Policies, round_robin, weighted_target};

impl Policies {
    /// The policies that come with this crate: `pick_first` (A62), `round_robin`, `random`, `least_request` (A48, also
    /// under its name in grpc-go, `least_request_experimental`), `peak_ewma`, `priority` (A56) and `weighted_target` (A28).
    #[must_use]
    pub fn builtin() -> Self {
        let mut policies = Self::default();
        policies.register(pick_first::Factory).register(round_robin::Factory).register(random::Factory);
        policies.register(least_request::Factory).alias("least_request_experimental", least_request::Factory);
        policies.register(peak_ewma::Factory);
        for name in priority::NAMES {
            policies.register(priority::Factory::named(name));
        }
        for name in weighted_target::NAMES {
            policies.register(weighted_target::Factory::named(name));
        }
        policies
    }
}
