//! The two flags make one service config, or an error that names the flag.

use thalweg::core::{lb::registry::Policies, service_config::ServiceConfig};

use super::choose;

fn chosen(policy: Option<&str>, config: Option<&str>) -> String {
    let policies = Policies::builtin();
    let balance = choose(policy, config, &policies).unwrap();
    let parsed = ServiceConfig::parse(&balance.service_config, &policies).unwrap();
    assert_eq!(parsed.policy().unwrap().factory.name(), balance.policy);
    balance.policy
}

fn refused(policy: Option<&str>, config: Option<&str>) -> String {
    choose(policy, config, &Policies::builtin()).unwrap_err().to_string()
}

#[test]
fn the_policy_comes_from_either_flag_and_is_round_robin_by_default() {
    assert_eq!(chosen(None, None), "round_robin");
    assert_eq!(chosen(Some("pick_first"), None), "pick_first");
    assert_eq!(chosen(None, Some(r#"{"loadBalancingConfig": [{"pick_first": {}}]}"#)), "pick_first");
    assert_eq!(chosen(None, Some(r#"{"loadBalancingPolicy": "PICK_FIRST"}"#)), "pick_first");
}

#[test]
fn a_service_config_without_a_policy_keeps_the_rest() {
    let config = r#"{"methodConfig": [{"name": [{}], "timeout": "1s"}], "loadBalancingConfig": null}"#;
    assert_eq!(chosen(Some("pick_first"), Some(config)), "pick_first");
    let balance = choose(None, Some(config), &Policies::builtin()).unwrap();
    assert!(balance.service_config.contains(r#""timeout":"1s""#), "{}", balance.service_config);
}

#[test]
fn an_unknown_policy_is_refused_with_those_there_are() {
    let error = refused(Some("fastest"), None);
    let known = error.strip_prefix(r#"--policy "fastest": no such policy; there are "#).unwrap();
    assert_eq!(known.split(", ").collect::<Vec<_>>(), Policies::builtin().names().collect::<Vec<_>>());
}

#[test]
fn a_broken_service_config_is_refused_with_its_path() {
    let error = refused(None, Some("{"));
    assert!(error.starts_with("--service-config: $: not JSON: "), "{error}");
    let error = refused(None, Some(r#"{"methodConfig": [{"name": [{}], "timeout": "soon"}]}"#));
    assert!(error.starts_with("--service-config: $.methodConfig[0].timeout: "), "{error}");
    let error = refused(None, Some(r#"{"loadBalancingConfig": [{"fastest": {}}]}"#));
    assert!(error.starts_with("--service-config: $.loadBalancingConfig: no known policy in [fastest]"), "{error}");
    assert!(refused(None, Some("[]")).starts_with("--service-config: $: "));
}

#[test]
fn two_policies_are_one_too_many() {
    let error = refused(Some("pick_first"), Some(r#"{"loadBalancingConfig": [{"round_robin": {}}]}"#));
    assert_eq!(error, r#"--policy "pick_first": --service-config chooses a policy already, round_robin"#);
}
