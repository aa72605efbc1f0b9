//! Addresses, endpoints and the attributes that travel with them from resolver to policy (A61).

use std::{
    any::{Any, TypeId},
    fmt,
    net::SocketAddr,
    num::NonZeroU32,
    path::Path,
    sync::Arc,
};

/// Where a connection can be made to.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Address {
    /// An IP address and port.
    Tcp(SocketAddr),
    /// A Unix socket by its path.
    Unix(Arc<Path>),
    /// A Unix socket by its abstract name (without the leading NUL).
    UnixAbstract(Arc<[u8]>),
    /// A name that only the connector understands: `passthrough:` targets, in-memory networks, custom transports.
    Opaque(Arc<str>),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::UnixAbstract(name) => write!(f, "unix-abstract:{}", name.escape_ascii()),
            Self::Opaque(name) => f.write_str(name),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

/// Values of any type, one of each type, attached to an endpoint by a resolver or a policy.
#[derive(Clone, Default)]
pub struct Attributes(Option<Arc<[(TypeId, Value)]>>);

type Value = Arc<dyn Any + Send + Sync>;

impl Attributes {
    /// The same attributes with `value` in the place of its type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(&self, value: T) -> Self {
        let (of, value): (_, Value) = (TypeId::of::<T>(), Arc::new(value));
        let others = self.0.iter().flat_map(|all| all.iter()).filter(|(other, _)| *other != of).cloned();
        Self(Some(others.chain([(of, value)]).collect()))
    }

    /// The value of type `T`, if one is attached.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.as_ref()?.iter().find(|(of, _)| *of == TypeId::of::<T>())?.1.downcast_ref()
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attributes({})", self.0.as_ref().map_or(0, |all| all.len()))
    }
}

/// The attribute that says how much of the load an endpoint should get beside the others of its list (A113).
///
/// A resolver attaches it by [`Endpoint::with`]; of whatever size, weights need not add up to anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Weight(NonZeroU32);

impl Weight {
    /// What an endpoint weighs that has no weight attached.
    pub const ONE: Self = Self(NonZeroU32::MIN);

    /// This weight; zero counts as [`ONE`](Self::ONE), as in other gRPCs.
    #[must_use]
    pub fn new(weight: u32) -> Self {
        NonZeroU32::new(weight).map_or(Self::ONE, Self)
    }

    /// The weight as a number, at least 1.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0.get()
    }
}

/// The attribute that says where `ring_hash` finds an endpoint on its ring, in the place of its first address (A76).
///
/// A backend that keeps its key when its address changes keeps its calls. An empty key counts as none.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HashKey(Arc<str>);

impl HashKey {
    /// This key.
    #[must_use]
    pub fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The attribute that says where an endpoint is, as xDS names places; what is not known is empty.
///
/// No policy of this crate goes by it. It is for resolvers that know and policies that care, so that they need no type of
/// their own between them.
///
/// ```
/// use thalweg_core::endpoint::{Address, Endpoint, Locality};
///
/// let zone = Locality { region: "eu".into(), zone: "eu-1a".into(), ..Locality::default() };
/// let endpoint = Endpoint::new([Address::Opaque("backend".into())]).with(zone);
/// assert_eq!(endpoint.locality().map(|locality| &*locality.zone), Some("eu-1a"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Locality {
    /// The largest of the places.
    pub region: Arc<str>,
    /// A part of the region.
    pub zone: Arc<str>,
    /// A part of the zone.
    pub sub_zone: Arc<str>,
}

/// One backend, which may be reachable at several addresses.
#[derive(Clone, Debug)]
pub struct Endpoint {
    addresses: Arc<[Address]>,
    attributes: Attributes,
}

impl Endpoint {
    /// An endpoint reachable at these addresses, best first, without attributes.
    #[must_use]
    pub fn new(addresses: impl IntoIterator<Item = impl Into<Address>>) -> Self {
        Self { addresses: addresses.into_iter().map(Into::into).collect(), attributes: Attributes::default() }
    }

    /// The same endpoint with `value` attached.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.attributes = self.attributes.with(value);
        self
    }

    /// The addresses, best first.
    #[must_use]
    pub fn addresses(&self) -> &Arc<[Address]> {
        &self.addresses
    }

    /// What the resolver, or a policy on the way, attached.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// Its [`Weight`], [`Weight::ONE`] if none is attached.
    #[must_use]
    pub fn weight(&self) -> Weight {
        self.attributes.get().copied().unwrap_or(Weight::ONE)
    }

    /// Its [`Locality`], if one is attached.
    #[must_use]
    pub fn locality(&self) -> Option<&Locality> {
        self.attributes.get()
    }

    /// Can nobody tell it from `other`? The addresses are the same, in the same order, and the attributes are shared, or
    /// there are none. A resolver that clones what has not changed saves policies work.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let shared = match (&self.attributes.0, &other.attributes.0) {
            (Some(mine), Some(theirs)) => Arc::ptr_eq(mine, theirs),
            (None, None) => true,
            _ => false,
        };
        shared && self.addresses == other.addresses
    }

    /// The identity of the endpoint: its set of addresses, in whatever order they were given (A61).
    #[must_use]
    pub fn key(&self) -> EndpointKey {
        if self.addresses.is_sorted_by(|a, b| a < b) {
            return EndpointKey(self.addresses.clone());
        }
        let mut key = self.addresses.to_vec();
        key.sort();
        key.dedup();
        EndpointKey(key.into())
    }
}

/// The identity of an endpoint: two endpoints with the same set of addresses are the same one (A61).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EndpointKey(Arc<[Address]>);

#[cfg(test)]
mod tests;
