//! An endpoint of the ring, and what became of it.

use std::sync::Arc;

use crate::{
    endpoint::{Endpoint, EndpointKey, HashKey},
    lb::{
        child::{ChildSet, Key},
        cx::Cx,
        event::Resolution,
        picker::Picker,
        token::Wake,
    },
};

/// An endpoint, and what was asked for on its behalf.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) key: EndpointKey,
    endpoint: Endpoint,
    pub(super) hash_key: Arc<str>,
    pub(super) weight: u64,
    /// Offered while it has places.
    pub(super) wake: Option<Wake>,
    /// Made when it is first wanted.
    pub(super) child: Option<Key>,
    /// Of its child, as last asked for.
    pub(super) picker: Option<Arc<dyn Picker>>,
}

impl Seat {
    pub(super) fn new(key: EndpointKey, endpoint: &Endpoint) -> Self {
        let (hash_key, weight) = (hash_key(endpoint), endpoint.weight().get().into());
        Self { key, endpoint: endpoint.clone(), hash_key, weight, wake: None, child: None, picker: None }
    }

    /// The endpoint is listed again, perhaps in another order of addresses or with other attributes.
    pub(super) fn renewed(self, cx: &mut Cx<'_>, children: &mut ChildSet, endpoint: &Endpoint) -> Self {
        if endpoint.is_same(&self.endpoint) {
            return Self { weight: endpoint.weight().get().into(), ..self };
        }
        let Self { key, wake, child, picker, .. } = self;
        let seat = Self { wake, child, picker, ..Self::new(key, endpoint) };
        seat.give(cx, children);
        seat
    }

    /// It is listed once more, as this endpoint.
    pub(super) fn add_weight(&mut self, twin: &Endpoint) {
        self.weight += u64::from(twin.weight().get());
    }

    /// Gives the endpoint to its child, if it has one.
    pub(super) fn give(&self, cx: &mut Cx<'_>, children: &mut ChildSet) {
        let Some(child) = self.child else { return };
        let update = Resolution { endpoints: Arc::new([self.endpoint.clone()]), config: None };
        children.call(cx, child, |leaf, cx| {
            // An endpoint with an address is never rejected.
            let _ = leaf.on_resolution(cx, &update);
        });
    }

    /// Gives back all that was asked for.
    pub(super) fn vacate(&mut self, cx: &mut Cx<'_>, children: &mut ChildSet) {
        if let Some(wake) = self.wake.take() {
            cx.withdraw(wake);
        }
        if let Some(child) = self.child.take() {
            children.remove(cx, child);
        }
        self.picker = None;
    }
}

/// Where an endpoint is found on the ring (A76).
fn hash_key(endpoint: &Endpoint) -> Arc<str> {
    match endpoint.attributes().get().map(HashKey::as_str) {
        Some(key) if !key.is_empty() => key.into(),
        _ => endpoint.addresses().first().map(ToString::to_string).unwrap_or_default().into(),
    }
}
