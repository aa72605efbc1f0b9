//! How a list of policies is read.

use serde_json::{Value, json};

use super::Policies;
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
        (json!([{ "round_robin": 7 }]), "$[0].round_robin: must be an object".into()),
        (json!([{ "pick_first": [true] }]), "$[0].pick_first: must be an object".into()),
    ] {
        assert_eq!(Policies::builtin().choose(&list).unwrap_err().to_string(), error);
    }
}
