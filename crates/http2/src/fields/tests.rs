//! Tests of fields and the maps that they become.

use super::*;

fn pair(name: &'static str, value: &'static str) -> (HeaderName, HeaderValue) {
    (HeaderName::from_static(name), HeaderValue::from_static(value))
}

#[test]
fn no_fields_make_an_empty_map_without_memory() {
    let map = Fields::default().into_map();
    assert!(map.is_empty());
    assert_eq!(map.capacity(), 0);
}

#[test]
fn what_grpc_always_says_is_in_the_map_again() {
    let list = vec![pair("a", "1"), pair("b", "2"), pair("a", "3")];
    let fields = Fields { is_grpc: true, te_trailers: true, grpc_status: Some(14), list, ..Fields::default() };
    let map = fields.into_map();
    assert_eq!(map.len(), 6);
    assert_eq!(map["content-type"], "application/grpc");
    assert_eq!(map["te"], "trailers");
    assert_eq!(map["grpc-status"], "14");
    assert_eq!(map.get_all("a").iter().collect::<Vec<_>>(), ["1", "3"]);
}

#[test]
fn a_field_is_found_wherever_it_is_kept() {
    let list = vec![pair("a", "1"), pair("a", "2"), pair("te", "other")];
    let fields = Fields { is_grpc: true, grpc_status: Some(0), list, ..Fields::default() };
    assert_eq!(fields.get("a").unwrap(), "1");
    assert_eq!(fields.get("te").unwrap(), "other");
    assert_eq!(fields.get("grpc-status").unwrap(), "0");
    assert_eq!(fields.get("content-type").unwrap(), "application/grpc");
    assert_eq!(fields.get("b"), None);
}

#[test]
fn every_status_of_grpc_has_its_decimal() {
    for status in 0..=16 {
        let fields = Fields { grpc_status: Some(status), ..Fields::default() };
        assert_eq!(fields.get("grpc-status").unwrap(), status.to_string().as_str());
    }
}
