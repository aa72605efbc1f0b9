//! What a configuration of `weighted_target` means, and who wins its lottery.

use serde_json::{Value, json};

use super::{Config, lottery::Lottery};
use crate::lb::registry::Policies;

fn parsed(config: &Value) -> Result<Vec<(String, u32, String)>, String> {
    let choice = Policies::builtin().choose(&json!([{ "weighted_target_experimental": config }]));
    let choice = choice.map_err(|error| error.to_string())?;
    let config: &Config = choice.config.downcast_ref().unwrap();
    let each = config.targets.iter();
    Ok(each.map(|(name, t)| (name.to_string(), t.weight, t.policy.factory.name().to_owned())).collect())
}

#[test]
fn the_example_of_grpc_go_means_what_it_means_there() {
    let config = json!({
        "targets": {
            "cluster_1": {
                "weight": 75,
                "childPolicy": [
                    { "grpclb": { "childPolicy": [{ "pick_first": {} }], "targetName": "foo-service" } },
                    { "pick_first": {} }
                ]
            },
            "cluster_2": { "weight": 25, "childPolicy": [{ "round_robin": {} }] }
        }
    });
    let [first, second] = &parsed(&config).unwrap()[..] else { panic!("{:?}", parsed(&config)) };
    assert_eq!(*first, ("cluster_1".into(), 75, "pick_first".into()));
    assert_eq!(*second, ("cluster_2".into(), 25, "round_robin".into()));
}

#[test]
fn both_names_lead_to_it_and_it_may_have_no_targets() {
    for name in ["weighted_target_experimental", "weighted_target"] {
        for config in [json!({}), json!({ "targets": {} }), json!({ "targets": null })] {
            let choice = Policies::builtin().choose(&json!([{ name: config }])).unwrap();
            assert_eq!(choice.factory.name(), "weighted_target");
            assert!(choice.config.downcast_ref::<Config>().unwrap().targets.is_empty());
        }
    }
}

#[test]
fn what_is_wrong_is_named_by_its_path() {
    let at = |path: &str, reason: &str| Err(format!("$[0].weighted_target_experimental{path}: {reason}"));
    let whole = "expected a whole number from 0 to 4294967295, found";
    let child = json!([{ "round_robin": {} }]);
    for (config, error) in [
        (json!([]), at("", "expected an object, found an array")),
        (json!({ "targets": 7 }), at(".targets", "expected an object, found 7")),
        (json!({ "targets": { "a": null } }), at(".targets.a", "this field is required")),
        (json!({ "targets": { "a": { "childPolicy": child } } }), at(".targets.a.weight", "this field is required")),
        (json!({ "targets": { "a": { "weight": 1 } } }), at(".targets.a.childPolicy", "this field is required")),
        (
            json!({ "targets": { "a": { "weight": 0, "childPolicy": child } } }),
            at(".targets.a.weight", "must be at least 1: leave a child out that is to get no calls"),
        ),
        (
            json!({ "targets": { "a": { "weight": -1, "childPolicy": child } } }),
            at(".targets.a.weight", &format!("{whole} -1")),
        ),
        (
            json!({ "targets": { "a": { "weight": 4_294_967_296_u64, "childPolicy": child } } }),
            at(".targets.a.weight", &format!("{whole} 4294967296")),
        ),
        (
            json!({ "targets": {
                "a": { "weight": 4_294_967_295_u32, "childPolicy": child },
                "b": { "weight": 1, "childPolicy": child }
            } }),
            at(".targets", "the weights add up to more than 4294967295"),
        ),
        (
            json!({ "targets": { "eu-west": { "weight": 1, "childPolicy": [{ "xds": {} }] } } }),
            at(".targets[\"eu-west\"].childPolicy", "no known policy in [xds]"),
        ),
        (
            json!({ "targets": { "a": { "weight": 1, "childPolicy": [{ "weighted_target": { "targets": [] } }] } } }),
            at(".targets.a.childPolicy[0].weighted_target.targets", "expected an object, found an array"),
        ),
    ] {
        assert_eq!(parsed(&config), error);
    }
}

/// How many of 1,000 words, evenly spread, each value wins by.
fn won(lottery: &Lottery<usize>, values: usize) -> Vec<usize> {
    let mut won = vec![0; values];
    for n in 0..1_000_u64 {
        lottery.draw(u64::MAX / 1_000 * n + u64::MAX / 2_000).into_iter().for_each(|value| won[*value] += 1);
    }
    won
}

#[test]
fn each_value_wins_as_often_as_its_weight_says() {
    for values in 1..20 {
        let leaves: Vec<_> = (0..values).map(|n| (n as u32 + 1, Some(n))).collect();
        let total: usize = (1..=values).sum();
        for (value, wins) in won(&Lottery::new(&leaves), values).into_iter().enumerate() {
            assert!(wins.abs_diff(1_000 * (value + 1) / total) <= 1, "{value} of {values} wins {wins} times");
        }
    }
}

#[test]
fn an_empty_place_never_wins_and_a_snapshot_keeps_what_it_shows() {
    let mut lottery = Lottery::new(&[(1, Some(0)), (2, None), (3, None), (4, None), (5, None)]);
    let before = lottery.clone();
    lottery.set(2, Some(2));
    lottery.set(99, Some(99));
    assert_eq!(won(&before, 5), [1_000, 0, 0, 0, 0]);
    assert_eq!(won(&lottery, 5), [250, 0, 750, 0, 0]);
    lottery.set(0, None);
    assert_eq!(won(&lottery, 5), [0, 0, 1_000, 0, 0]);
    lottery.set(2, None);
    assert_eq!((lottery.draw(0), lottery.draw(u64::MAX), Lottery::<u8>::default().draw(7)), (None, None, None));
}

#[test]
fn the_heaviest_weights_there_can_be_add_up() {
    let lottery = Lottery::new(&[(u32::MAX - 1, Some(0)), (1, Some(1))]);
    assert_eq!((lottery.draw(0), lottery.draw(u64::MAX)), (Some(&0), Some(&1)));
}
