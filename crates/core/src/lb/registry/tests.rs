//! How a list of policies is read.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Policies, from_json};
use crate::lb::pick_first;

fn chosen(list: &Value) -> String {
    Policies::builtin().choose(list).unwrap().factory.name().to_owned()
}

#[test]
fn the_first_known_policy_of_a_list_is_chosen() {
    assert_eq!(chosen(&json!([{ "round_robin": {} }])), "round_robin");
    assert_eq!(chosen(&json!([{ "xds": 1 }, { "pick_first": {} }, { "round_robin": {} }])), "pick_first");
}

#[test]
fn what_follows_the_chosen_policy_is_not_looked_at() {
    assert_eq!(chosen(&json!([{ "round_robin": {} }, 7])), "round_robin");
}

#[test]
fn a_configuration_arrives_as_the_type_of_its_policy() {
    let choice = Policies::builtin().choose(&json!([{ "pick_first": { "shuffleAddressList": true } }])).unwrap();
    let config: &pick_first::Config = choice.config.downcast_ref().unwrap();
    assert!(config.shuffle_address_list);
}

#[test]
fn a_policy_without_fields_takes_anything_for_its_configuration() {
    for config in [json!(""), json!(7), json!([true]), json!(null), json!({ "futureField": 1 })] {
        assert_eq!(chosen(&json!([{ "round_robin": config }])), "round_robin");
        assert_eq!(chosen(&json!([{ "random": config }])), "random");
    }
}

#[test]
fn a_configuration_of_null_is_one_without_fields_for_every_policy() {
    for name in Policies::builtin().names() {
        let choose = |config: Value| Policies::builtin().choose(&json!([{ name: config }]));
        let verdict = |config| choose(config).map(|choice| format!("{:?}", choice.config));
        assert_eq!(verdict(json!(null)), verdict(json!({})), "{name}");
    }
    assert_eq!(from_json(&json!(null)), Ok(pick_first::Config::default()));
}

#[derive(Deserialize, PartialEq, Debug, Default)]
#[serde(default)]
struct Nested {
    count: u32,
    inner: Option<Box<Self>>,
    all: Vec<Self>,
}

#[test]
fn serde_finds_no_field_that_is_null_at_whatever_depth() {
    let count = |count| Nested { count, ..Nested::default() };
    let inner = json!({ "count": null, "inner": { "count": 2, "all": null } });
    let read = from_json(&json!({ "count": null, "inner": inner, "all": [{ "count": null }, { "count": 3 }] }));
    let inner = Nested { inner: Some(Box::new(count(2))), ..Nested::default() };
    let expected = Nested { count: 0, inner: Some(Box::new(inner)), all: vec![count(0), count(3)] };
    assert_eq!(read, Ok(expected));
    let error = from_json::<Nested>(&json!({ "all": [{}, null] })).unwrap_err();
    assert_eq!(error.path, "$.all[1]", "an element that is null is one, and wrong here: {error}");
    assert_eq!(from_json(&json!({ "shuffleAddressList": null })), Ok(pick_first::Config::default()));
}

#[test]
fn a_bad_list_is_rejected_with_a_path_and_a_reason() {
    let one_key = "must be an object with exactly one key, the name of a policy";
    for (list, error) in [
        (json!({}), "$: must be a list of policies".into()),
        (json!("round_robin"), "$: must be a list of policies".into()),
        (json!([]), "$: no known policy in []".into()),
        (json!([{ "xds": {} }, { "grpclb": {} }]), "$: no known policy in [xds, grpclb]".into()),
        (json!([{}]), format!("$[0]: {one_key}")),
        (json!([{ "xds": {} }, null]), format!("$[1]: {one_key}")),
        (json!([{ "round_robin": {}, "pick_first": {} }]), format!("$[0]: {one_key}")),
        (
            json!([{ "xds": {} }, { "pick_first": { "shuffleAddressList": "yes" } }]),
            "$[1].pick_first.shuffleAddressList: invalid type: string \"yes\", expected a boolean".into(),
        ),
        (json!([{ "pick_first": [true] }]), "$[0].pick_first: must be an object".into()),
        (json!([{ "pick_first": "" }]), "$[0].pick_first: must be an object".into()),
        (json!([{ "least_request": "" }]), "$[0].least_request: expected an object, found \"\"".into()),
    ] {
        assert_eq!(Policies::builtin().choose(&list).unwrap_err().to_string(), error);
    }
}
