//! The configuration of `pick_first` (A62).

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::PickFirst;
use crate::{
    json::ConfigError,
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyFactory, from_json},
    },
};

/// `pick_first`'s configuration; fields it does not know are ignored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Config {
    /// Try the endpoints in a random order, drawn anew for each list, in which a greater
    /// [`Weight`](crate::endpoint::Weight) comes early more often (A113). The addresses of one endpoint keep their order.
    pub shuffle_address_list: bool,
}

/// Makes `pick_first` policies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Factory;

impl PolicyFactory for Factory {
    fn name(&self) -> &'static str {
        "pick_first"
    }

    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        Ok(Arc::new(from_json::<Config>(config)?))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        Box::new(PickFirst::default())
    }
}
