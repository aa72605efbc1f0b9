//! `unix:path` and `unix-abstract:name`: sockets of this machine (doc/naming).

use std::path::Path;

use thalweg_core::{
    endpoint::Address,
    target::{Target, TargetError},
};

use super::{Resolver, ResolverContext, ResolverFactory, fixed::Fixed};

/// Resolves the name of a Unix socket to itself.
#[derive(Clone, Copy, Debug)]
pub struct UnixResolver {
    scheme: &'static str,
    address: fn(&str) -> Address,
}

impl UnixResolver {
    /// The resolver of `unix:` targets: `unix:relative/path`, `unix:/absolute/path`, `unix:///absolute/path`.
    #[must_use]
    pub fn path() -> Self {
        Self { scheme: "unix", address: |path| Address::Unix(Path::new(path).into()) }
    }

    /// The resolver of `unix-abstract:` targets, whose names are not in the file system (Linux).
    #[must_use]
    pub fn abstract_name() -> Self {
        Self { scheme: "unix-abstract", address: |name| Address::UnixAbstract(name.as_bytes().into()) }
    }
}

impl ResolverFactory for UnixResolver {
    fn scheme(&self) -> &str {
        self.scheme
    }

    fn build(&self, target: &Target, _: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        Ok(Box::new(Fixed::new([(self.address)(&target.path)])))
    }
}
