//! Which policies every channel knows.

use super::{
    least_request, outlier_detection, peak_ewma, pick_first, priority, random, random_subsetting, registry::Policies,
    ring_hash, round_robin, weighted_target,
};

impl Policies {
    /// The policies that come with this crate: `pick_first` (A62), `round_robin`, `random`, `least_request` (A48),
    /// `peak_ewma`, `ring_hash` (A42), `priority` (A56), `weighted_target` (A28), `outlier_detection` (A50) and
    /// `random_subsetting` (A68); also under their names in grpc-go, such as `least_request_experimental`.
    #[must_use]
    pub fn builtin() -> Self {
        let mut policies = Self::default();
        policies.register(pick_first::Factory).register(round_robin::Factory).register(random::Factory);
        policies.register(least_request::Factory).alias("least_request_experimental", least_request::Factory);
        policies.register(peak_ewma::Factory);
        policies.register(outlier_detection::Factory);
        policies.alias("outlier_detection_experimental", outlier_detection::Factory);
        policies.register(random_subsetting::Factory);
        policies.alias("random_subsetting_experimental", random_subsetting::Factory);
        let ring_hash = ring_hash::Factory::default();
        policies.register(ring_hash).alias("ring_hash_experimental", ring_hash);
        policies.register(priority::Factory).alias("priority_experimental", priority::Factory);
        policies.register(weighted_target::Factory).alias("weighted_target_experimental", weighted_target::Factory);
        policies
    }
}
