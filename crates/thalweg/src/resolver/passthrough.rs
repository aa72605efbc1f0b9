//! `passthrough:name`: the connector gets the name as it stands (doc/naming).

use thalweg_core::{
    endpoint::Address,
    target::{Target, TargetError},
};

use super::{Resolver, ResolverContext, ResolverFactory, fixed::Fixed};

/// Hands the target's path to the connector unresolved: a host and port for the operating system to look up at each
/// connection, or a name that only a custom connector understands.
#[derive(Clone, Copy, Debug, Default)]
pub struct PassthroughResolver;

impl ResolverFactory for PassthroughResolver {
    fn scheme(&self) -> &str {
        "passthrough"
    }

    fn build(&self, target: &Target, _: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        Ok(Box::new(Fixed::new([Address::Opaque(target.path.as_str().into())])))
    }
}
