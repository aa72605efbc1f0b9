//! What a configuration of `priority` means.

use serde_json::{Value, json};

use super::Config;
use crate::lb::registry::Policies;

/// The children in their order: policy, and whether its re-resolution counts for nothing.
fn parsed(config: &Value) -> Result<Vec<(String, String, bool)>, String> {
    let choice = Policies::builtin().choose(&json!([{ "priority_experimental": config }]));
    let choice = choice.map_err(|error| error.to_string())?;
    let config: &Config = choice.config.downcast_ref().unwrap();
    let each = config.priorities().iter().map(|name| {
        let child = &config.children()[name];
        (name.to_string(), child.policy.factory.name().to_owned(), child.ignores_reresolution)
    });
    Ok(each.collect())
}

#[test]
fn the_example_of_grpc_go_means_what_it_means_there() {
    let config = json!({
        "priorities": ["child-1", "child-2", "child-3"],
        "children": {
            "child-1": { "config": [{ "round_robin": {} }], "ignoreReresolutionRequests": true },
            "child-2": { "config": [{ "round_robin": {} }] },
            "child-3": { "config": [{ "round_robin": {} }] }
        }
    });
    let child = |name: &str, ignores| (name.to_owned(), "round_robin".to_owned(), ignores);
    assert_eq!(parsed(&config).unwrap(), [child("child-1", true), child("child-2", false), child("child-3", false)]);
}

#[test]
fn both_names_lead_to_it_and_it_may_have_no_children() {
    for name in ["priority_experimental", "priority"] {
        for config in [json!({}), json!({ "children": {}, "priorities": [] })] {
            let choice = Policies::builtin().choose(&json!([{ name: config }])).unwrap();
            assert_eq!(choice.factory.name(), "priority");
            assert!(choice.config.downcast_ref::<Config>().unwrap().children().is_empty());
        }
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let at = |path: &str, reason: &str| Err(format!("$[0].priority_experimental{path}: {reason}"));
    let child = json!({ "config": [{ "xds": 1 }, { "round_robin": {} }] });
    for (config, error) in [
        (json!(7), at("", "expected an object, found 7")),
        (json!({ "children": [] }), at(".children", "expected an object, found an array")),
        (json!({ "children": { "a": {} }, "priorities": ["a"] }), at(".children.a.config", "this field is required")),
        (
            json!({ "children": { "a": { "config": [{ "xds": {} }] } }, "priorities": ["a"] }),
            at(".children.a.config", "no known policy in [xds]"),
        ),
        (
            json!({ "children": { "a": { "config": [{ "round_robin": {} }], "ignoreReresolutionRequests": 1 } } }),
            at(".children.a.ignoreReresolutionRequests", "expected true or false, found 1"),
        ),
        (json!({ "children": { "a": child }, "priorities": "a" }), at(".priorities", "expected an array, found \"a\"")),
        (
            json!({ "children": { "a": child }, "priorities": ["a", 7] }),
            at(".priorities[1]", "expected a string, found 7"),
        ),
        (
            json!({ "children": { "a": child }, "priorities": ["a", "b"] }),
            at(".priorities[1]", "no child in \"children\" has the name \"b\""),
        ),
        (
            json!({ "children": { "a": child, "b": child }, "priorities": ["a", "b", "a"] }),
            at(".priorities[2]", "\"a\" is listed twice"),
        ),
        (
            json!({ "children": { "a": child, "eu-west": child }, "priorities": ["a"] }),
            at(".children[\"eu-west\"]", "the child has no place in \"priorities\""),
        ),
    ] {
        assert_eq!(parsed(&config), error);
    }
}
