//! What travels with an endpoint.

use super::{Address, Endpoint, HashKey, Locality, Weight};

fn plain() -> Endpoint {
    Endpoint::new([Address::Opaque("a".into())])
}

fn at(region: &str, zone: &str, sub_zone: &str) -> Locality {
    Locality { region: region.into(), zone: zone.into(), sub_zone: sub_zone.into() }
}

#[test]
fn an_endpoint_has_the_locality_that_was_attached_last_and_none_before() {
    assert_eq!(plain().locality(), None);
    let moved = plain().with(at("eu", "eu-1a", "rack 7")).with(at("eu", "eu-1b", ""));
    assert_eq!(moved.locality(), Some(&at("eu", "eu-1b", "")));
    assert_eq!(moved.key(), plain().key(), "it is the same endpoint wherever it is");
}

#[test]
fn attributes_of_different_types_stand_beside_each_other() {
    let endpoint = plain().with(Weight::new(3)).with(at("eu", "", "")).with(HashKey::new("k"));
    assert_eq!((endpoint.weight().get(), endpoint.locality()), (3, Some(&at("eu", "", ""))));
    assert_eq!(endpoint.attributes().get::<HashKey>().map(HashKey::as_str), Some("k"));
}

#[test]
fn an_endpoint_that_moves_is_not_the_same_to_a_policy() {
    let here = plain().with(at("eu", "eu-1a", ""));
    assert!(here.is_same(&here.clone()));
    assert!(!here.is_same(&here.clone().with(at("eu", "eu-1b", ""))));
}
