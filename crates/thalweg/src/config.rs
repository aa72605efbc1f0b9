//! The configuration of one call: the seam between a name's configuration and the call (A31).

use std::{fmt::Debug, sync::Arc};

use thalweg_core::{
    metadata::Metadata,
    service_config::{MethodConfig, ServiceConfig},
    status::Status,
};

/// What is known of a call when its configuration is chosen.
pub struct CallInfo<'a> {
    /// The request path: `/package.Service/Method`.
    pub method: &'a str,
    /// The request metadata.
    pub metadata: &'a dyn Metadata,
}

impl Debug for CallInfo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallInfo").field("method", &self.method).finish_non_exhaustive()
    }
}

/// The configuration chosen for one call.
#[derive(Clone, Debug, Default)]
pub struct CallConfig {
    /// Timeout, wait-for-ready, size limits.
    pub method: Option<Arc<MethodConfig>>,
    /// The request hash for policies that balance by one (A42).
    pub hash: Option<u64>,
}

/// Chooses the configuration of each call. On the data path: must not block.
pub trait ConfigSelector: Send + Sync + Debug {
    /// The configuration of this call.
    ///
    /// # Errors
    ///
    /// The status with which the call fails; codes that are the application's own become INTERNAL (A54).
    fn select(&self, call: &CallInfo<'_>) -> Result<CallConfig, Status>;
}

impl ConfigSelector for ServiceConfig {
    fn select(&self, call: &CallInfo<'_>) -> Result<CallConfig, Status> {
        Ok(CallConfig { method: self.method(call.method).cloned(), hash: None })
    }
}
