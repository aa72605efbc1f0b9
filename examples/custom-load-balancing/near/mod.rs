//! The policy `near`: calls stay in the caller's zone, but for a settable share.

use std::sync::Arc;

use serde::Deserialize;
use thalweg::core::{
    endpoint::{Endpoint, Locality},
    json::ConfigError,
    lb::{
        AnyConfig, Cx, LbPolicy, Pick, PickArgs, Picker, Resolution,
        dense::Snapshot,
        petiole::{Petiole, Ready, Spread},
        registry::{Policies, PolicyFactory, from_json},
    },
};

/// `{"zone": "east", "farPercent": 20}`
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    /// Where the caller is: the `zone` of a [`Locality`].
    zone: String,
    /// The share of calls that goes to other zones, so that their backends stay warm.
    #[serde(default)]
    far_percent: u64,
}

/// Makes the policy and reads its configuration.
#[derive(Debug)]
pub(crate) struct NearFactory;

impl PolicyFactory for NearFactory {
    fn name(&self) -> &str {
        "near"
    }

    fn parse(&self, config: &serde_json::Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        let config: Config = from_json(config)?;
        if config.far_percent > 100 {
            return Err(ConfigError::new("$.farPercent", "must be at most 100"));
        }
        Ok(Arc::new(config))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(Petiole::<Near>::default())
    }
}

/// What makes it the policy that it is. Connections, states and failures are the [`Petiole`]'s.
#[derive(Debug, Default)]
struct Near(Config);

impl Spread for Near {
    /// Where each endpoint is, if the resolver knows it.
    type Kept = Option<Locality>;

    fn configure(&mut self, _: &mut Cx<'_>, update: &Resolution) {
        if let Some(config) = update.config_as::<Config>() {
            self.0 = config.clone();
        }
    }

    fn admit(&mut self, _: &mut Cx<'_>, endpoint: &Endpoint) -> Self::Kept {
        endpoint.locality().cloned()
    }

    /// It is listed again, perhaps elsewhere. Its connection stays.
    fn readmit(&mut self, endpoint: &Endpoint, kept: &Self::Kept) -> Option<Self::Kept> {
        let locality = endpoint.locality().cloned();
        (locality != *kept).then_some(locality)
    }

    fn picker(&mut self, _: &mut Cx<'_>, ready: Snapshot<Ready<Self::Kept>>) -> Arc<dyn Picker> {
        let is_near = |ready: &Ready<Self::Kept>| ready.kept.as_ref().is_some_and(|place| *place.zone == self.0.zone);
        let (near, far) = ready.iter().cloned().partition(is_near);
        Arc::new(NearPicker { near, far, far_percent: self.0.far_percent })
    }
}

/// Who was READY, near and far. At least one was.
#[derive(Debug)]
struct NearPicker {
    near: Vec<Ready<Option<Locality>>>,
    far: Vec<Ready<Option<Locality>>>,
    far_percent: u64,
}

impl Picker for NearPicker {
    fn pick(&self, args: &PickArgs<'_>) -> Pick {
        let goes_far = self.near.is_empty() || !self.far.is_empty() && args.random() % 100 < self.far_percent;
        let those = if goes_far { &self.far } else { &self.near };
        those[args.random() as usize % those.len()].pick(args)
    }
}

#[cfg(test)]
mod tests;
