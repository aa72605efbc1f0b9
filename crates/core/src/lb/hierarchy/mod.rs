//! Which child an endpoint goes to at each level of a tree of policies (A56, "Hierarchical Addresses").

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use crate::endpoint::Endpoint;

/// The names of the children that an endpoint goes to, from the root of the tree of policies down.
///
/// A resolver attaches it ([`Endpoint::with`]); each policy that tells its children apart by name reads the first name,
/// and hands the endpoint on with the rest. What is left when a leaf is reached is empty.
#[derive(Clone, Debug, Default)]
pub struct Path {
    names: Arc<[Arc<str>]>,
    /// How many names lie behind.
    passed: usize,
}

impl Path {
    /// The path through the children of these names.
    #[must_use]
    pub fn new<S: Into<Arc<str>>>(names: impl IntoIterator<Item = S>) -> Self {
        Self { names: names.into_iter().map(Into::into).collect(), passed: 0 }
    }

    /// The names that lie ahead.
    #[must_use]
    pub fn names(&self) -> &[Arc<str>] {
        self.names.get(self.passed..).unwrap_or_default()
    }

    /// The next name, and the path behind it.
    fn step(&self) -> Option<(&Arc<str>, Self)> {
        let rest = Self { names: Arc::clone(&self.names), passed: self.passed + 1 };
        Some((self.names().first()?, rest))
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl Eq for Path {}

/// The endpoints of each child, their order kept, each with the rest of its path. Those without a name ahead are left
/// out, as in the other gRPC implementations.
#[must_use]
pub fn split(endpoints: &[Endpoint]) -> BTreeMap<Arc<str>, Arc<[Endpoint]>> {
    let mut groups: BTreeMap<Arc<str>, Vec<Endpoint>> = BTreeMap::new();
    for endpoint in endpoints {
        if let Some((name, rest)) = endpoint.attributes().get().and_then(Path::step) {
            groups.entry(Arc::clone(name)).or_default().push(endpoint.clone().with(rest));
        }
    }
    groups.into_iter().map(|(name, endpoints)| (name, endpoints.into())).collect()
}
