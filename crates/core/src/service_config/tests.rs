//! Configs in the shape of gRPC's documents, and a table of rejections.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};

use super::{ConnectionScaling, HedgingPolicy, MethodConfig, RetryPolicy, RetryThrottling, ServiceConfig};
use crate::{
    json::{ConfigError, Node},
    lb::{
        LbPolicy,
        event::AnyConfig,
        registry::{Policies, PolicyFactory},
    },
    random::Random,
    status::Code,
};

/// A policy with one optional field, `size`; `needy` requires it.
#[derive(Debug)]
struct Known(&'static str);

#[derive(Debug, PartialEq)]
struct Size(Option<u32>);

impl PolicyFactory for Known {
    fn name(&self) -> &str {
        self.0
    }

    fn parse(&self, config: &Value, _: &Policies) -> Result<Arc<dyn AnyConfig>, ConfigError> {
        let fields = Node::root(config).object()?;
        if self.0 == "needy" {
            fields.required("size", Node::u32)?;
        }
        Ok(Arc::new(Size(fields.optional("size", Node::u32)?)))
    }

    fn build(&self) -> Box<dyn LbPolicy> {
        unreachable!("these tests only parse")
    }
}

fn parse(json: &str) -> Result<ServiceConfig, ConfigError> {
    let mut policies = Policies::default();
    policies.register(Known("round_robin")).register(Known("pick_first")).register(Known("needy"));
    ServiceConfig::parse(json, &policies)
}

fn good(json: &Value) -> ServiceConfig {
    parse(&json.to_string()).unwrap_or_else(|error| panic!("{json}: {error}"))
}

fn policy(config: &ServiceConfig) -> Option<(&str, Option<u32>)> {
    let choice = config.policy()?;
    Some((choice.factory.name(), choice.config.downcast_ref::<Size>().unwrap().0))
}

/// The config for a method whose entry has these fields.
fn method(mut fields: Value) -> MethodConfig {
    fields["name"] = json!([{}]);
    let config = good(&json!({"methodConfig": [fields]}));
    config.method("/a.B/c").unwrap().as_ref().clone()
}

#[test]
fn an_empty_config_configures_nothing() {
    for config in [ServiceConfig::default(), parse("{}").unwrap()] {
        assert_eq!(policy(&config), None);
        assert_eq!(config.method("/a.B/c"), None);
        assert_eq!(config.retry_throttling(), None);
        assert_eq!(config.health_check_service(), None);
        assert_eq!(config.connection_scaling(), None);
        assert_eq!(config.json(), "{}");
    }
}

#[test]
fn unknown_and_null_fields_are_ignored() {
    let config = good(&json!({
        "futureField": {"a": 1},
        "loadBalancingPolicy": null, "loadBalancingConfig": null, "methodConfig": null, "retryThrottling": null,
        "healthCheckConfig": null, "connectionScaling": null,
    }));
    assert_eq!(policy(&config), None);
    assert_eq!(method(json!({"futureField": [], "timeout": null, "retryPolicy": null})), MethodConfig::default());
}

#[test]
fn the_first_known_policy_of_the_list_is_chosen() {
    let config = good(&json!({"loadBalancingConfig": [{"xds": {}}, {"round_robin": {"size": 3}}, {"pick_first": {}}]}));
    assert_eq!(policy(&config), Some(("round_robin", Some(3))));
}

#[test]
fn the_deprecated_policy_name_may_be_in_any_case_and_gives_way_to_the_list() {
    for (name, chosen) in [("ROUND_ROBIN", "round_robin"), ("round_robin", "round_robin"), ("PICK_FIRST", "pick_first")]
    {
        assert_eq!(policy(&good(&json!({"loadBalancingPolicy": name}))), Some((chosen, None)));
    }
    for name in ["", "UNSPECIFIED"] {
        assert_eq!(policy(&good(&json!({"loadBalancingPolicy": name}))), None);
    }
    let both = json!({"loadBalancingPolicy": "grpclb", "loadBalancingConfig": [{"pick_first": {}}]});
    assert_eq!(policy(&good(&both)), Some(("pick_first", None)));
}

#[test]
fn the_most_specific_method_config_wins() {
    let timeout = |seconds: u32| json!(format!("{seconds}s"));
    let config = good(&json!({"methodConfig": [
        {"name": [{}], "timeout": timeout(1)},
        {"name": [{"service": "a.B"}, {"service": "a.C", "method": ""}, {"service": "a.D", "method": null}],
         "timeout": timeout(2)},
        {"name": [{"service": "a.B", "method": "c"}], "timeout": timeout(3)},
    ]}));
    for (path, seconds) in [
        ("/a.B/c", 3),
        ("/a.B/d", 2),
        ("/a.C/c", 2),
        ("/a.D/c", 2),
        ("/a.E/c", 1),
        ("/a.B/c/d", 1),
        ("/a.Bc/c", 1),
        ("a.B", 1),
        ("/", 1),
        ("", 1),
    ] {
        assert_eq!(config.method(path).unwrap().timeout, Some(Duration::from_secs(seconds)), "{path}");
    }
}

#[test]
fn without_a_default_other_methods_have_no_config() {
    let config = good(&json!({"methodConfig": [{"name": [{"service": "a.B", "method": "c"}]}]}));
    assert_eq!(config.method("/a.B/c").unwrap().as_ref(), &MethodConfig::default());
    assert_eq!(config.method("/a.B/d"), None);
    assert_eq!(config.method(""), None);
}

#[test]
fn a_method_config_without_names_applies_to_nothing() {
    for name in [json!([]), json!(null)] {
        let config = good(&json!({"methodConfig": [{"name": name, "timeout": "1s"}, {"timeout": "1s"}]}));
        assert_eq!(config.method("/a.B/c"), None);
    }
}

#[test]
fn methods_named_together_share_one_config() {
    let config = good(&json!({"methodConfig": [{"name": [{"service": "a"}, {"service": "b"}]}]}));
    assert!(Arc::ptr_eq(config.method("/a/x").unwrap(), config.method("/b/x").unwrap()));
}

#[test]
fn every_field_of_a_method_config_is_read() {
    let fields = json!({
        "waitForReady": true,
        "timeout": "1.5s",
        "maxRequestMessageBytes": 1024,
        "maxResponseMessageBytes": "0",
    });
    let expected = MethodConfig {
        timeout: Some(Duration::from_millis(1500)),
        wait_for_ready: Some(true),
        max_request_bytes: Some(1024),
        max_response_bytes: Some(0),
        retry: None,
        hedging: None,
    };
    assert_eq!(method(fields), expected);
    assert_eq!(method(json!({"timeout": "0s"})).timeout, Some(Duration::ZERO));
    assert_eq!(method(json!({"waitForReady": false})).wait_for_ready, Some(false));
}

#[test]
fn the_retry_policy_of_a6_is_read() {
    let retry = method(json!({"retryPolicy": {
        "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE", "aborted", 8, "UNAVAILABLE"],
    }}))
    .retry;
    let expected = RetryPolicy {
        max_attempts: 4,
        initial_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(1),
        backoff_multiplier: 2.0,
        retryable: [Code::Unavailable, Code::Aborted, Code::ResourceExhausted].into(),
    };
    assert_eq!(retry, Some(expected));
}

#[test]
fn the_hedging_policy_of_a6_is_read() {
    let hedging = method(json!({"hedgingPolicy": {
        "maxAttempts": 7, "hedgingDelay": "0.5s", "nonFatalStatusCodes": ["UNAVAILABLE", "INTERNAL", "ABORTED"],
    }}))
    .hedging;
    let expected = HedgingPolicy {
        max_attempts: 7,
        hedging_delay: Duration::from_millis(500),
        non_fatal: [Code::Unavailable, Code::Internal, Code::Aborted].into(),
    };
    assert_eq!(hedging, Some(expected));
    let hedging = method(json!({"hedgingPolicy": {"maxAttempts": 2}})).hedging.unwrap();
    assert_eq!((hedging.hedging_delay, hedging.non_fatal.len()), (Duration::ZERO, 0));
}

#[test]
fn throttling_is_counted_in_thousandths_of_a_token() {
    for (max, ratio, max_tokens, token_ratio) in [
        (json!(10), json!(0.1), 10_000, 100),
        (json!(1000), json!(1), 1_000_000, 1000),
        (json!(0.001), json!(1.001), 1, 1001),
        (json!(1.5), json!("0.0071"), 1500, 7),
        (json!(1), json!(1e300), 1000, u32::MAX),
    ] {
        let config = good(&json!({"retryThrottling": {"maxTokens": max, "tokenRatio": ratio}}));
        assert_eq!(config.retry_throttling(), Some(RetryThrottling { max_tokens, token_ratio }));
    }
}

#[test]
fn an_empty_health_check_service_means_the_whole_server_and_none_no_check() {
    for (config, service) in [
        (json!({"serviceName": "foo"}), Some("foo")),
        (json!({"serviceName": ""}), Some("")),
        (json!({"serviceName": null}), None),
        (json!({}), None),
    ] {
        assert_eq!(good(&json!({"healthCheckConfig": config})).health_check_service(), service);
    }
}

#[test]
fn connection_scaling_allows_at_least_one_connection() {
    for (config, max) in [
        (json!({"maxConnectionsPerSubchannel": 20}), 20),
        (json!({}), 1),
        (json!({"maxConnectionsPerSubchannel": 0}), 1),
    ] {
        let expected = ConnectionScaling { max_connections_per_subchannel: max };
        assert_eq!(good(&json!({"connectionScaling": config})).connection_scaling(), Some(expected));
    }
}

#[test]
fn the_text_is_kept_as_it_was() {
    let text = "{ \"methodConfig\" : [ ] }";
    assert_eq!(parse(text).unwrap().json(), text);
}

/// Every field at once, in the shape of the documents.
const WHOLE: &str = r#"{
    "loadBalancingPolicy": "round_robin",
    "loadBalancingConfig": [ { "grpclb": { "childPolicy": [ { "pick_first": {} } ] } }, { "round_robin": {} } ],
    "methodConfig": [
        {
            "name": [
                { "service": "google.pubsub.v2.PublisherService", "method": "CreateTopic" },
                { "service": "grpc.examples.echo.Echo" }
            ],
            "waitForReady": true,
            "timeout": "10s",
            "maxRequestMessageBytes": 4194304,
            "maxResponseMessageBytes": 4194304,
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": ".01s",
                "maxBackoff": ".01s",
                "backoffMultiplier": 1.0,
                "retryableStatusCodes": [ "UNAVAILABLE" ]
            }
        },
        { "name": [ { "service": "s", "method": "m" } ], "hedgingPolicy": { "maxAttempts": 4, "hedgingDelay": "0s" } }
    ],
    "retryThrottling": { "maxTokens": 10, "tokenRatio": 0.1 },
    "healthCheckConfig": { "serviceName": "grpc.health.v1.Health" },
    "connectionScaling": { "maxConnectionsPerSubchannel": 2 }
}"#;

#[test]
fn a_whole_config_as_the_documents_show_it_is_read() {
    let config = parse(WHOLE).unwrap();
    assert_eq!(policy(&config), Some(("round_robin", None)));
    let create = config.method("/google.pubsub.v2.PublisherService/CreateTopic").unwrap();
    assert_eq!(create.retry.as_ref().unwrap().initial_backoff, Duration::from_millis(10));
    assert!(Arc::ptr_eq(create, config.method("/grpc.examples.echo.Echo/UnaryEcho").unwrap()));
    assert_eq!(config.method("/s/m").unwrap().hedging.as_ref().unwrap().max_attempts, 4);
    assert_eq!(config.health_check_service(), Some("grpc.health.v1.Health"));
}

fn rejections(table: &[(Value, &str)]) {
    for (config, expected) in table {
        let error = parse(&config.to_string()).err().unwrap_or_else(|| panic!("{config} was accepted"));
        assert_eq!(error.to_string(), *expected, "{config}");
    }
}

#[test]
fn a_text_that_is_no_config_is_rejected() {
    assert_eq!(parse("").unwrap_err().to_string(), "$: not JSON: EOF while parsing a value at line 1 column 0");
    assert_eq!(
        parse("{\n\"methodConfig\": [}").unwrap_err().to_string(),
        "$: not JSON: expected value at line 2 column 18"
    );
    rejections(&[
        (json!([]), "$: expected an object, found an array"),
        (json!(null), "$: expected an object, found null"),
    ]);
}

#[test]
fn a_wrong_policy_is_rejected_at_its_path() {
    rejections(&[
        (json!({"loadBalancingPolicy": 1}), "$.loadBalancingPolicy: expected a string, found 1"),
        (json!({"loadBalancingPolicy": "best"}), "$.loadBalancingPolicy: no known policy in [best]"),
        (
            json!({"loadBalancingPolicy": "NEEDY"}),
            "$.loadBalancingPolicy: needy needs a configuration (needy.size: this field is required)",
        ),
        (json!({"loadBalancingConfig": {}}), "$.loadBalancingConfig: must be a list of policies"),
        (json!({"loadBalancingConfig": []}), "$.loadBalancingConfig: no known policy in []"),
        (json!({"loadBalancingConfig": [{"a": {}}, {"b": {}}]}), "$.loadBalancingConfig: no known policy in [a, b]"),
        (
            json!({"loadBalancingConfig": [{"a": {}, "b": {}}]}),
            "$.loadBalancingConfig[0]: must be an object with exactly one key, the name of a policy",
        ),
        (
            json!({"loadBalancingConfig": [{"a": {}}, {"round_robin": {"size": -1}}]}),
            "$.loadBalancingConfig[1].round_robin.size: expected a whole number from 0 to 4294967295, found -1",
        ),
    ]);
}

#[test]
fn a_wrong_method_config_is_rejected_at_its_path() {
    let entry = |fields: Value| json!({"methodConfig": [{}, fields]});
    rejections(&[
        (json!({"methodConfig": {}}), "$.methodConfig: expected an array, found an object"),
        (json!({"methodConfig": [1]}), "$.methodConfig[0]: expected an object, found 1"),
        (entry(json!({"name": {}})), "$.methodConfig[1].name: expected an array, found an object"),
        (entry(json!({"name": ["a.B"]})), "$.methodConfig[1].name[0]: expected an object, found \"a.B\""),
        (entry(json!({"name": [{"service": 1}]})), "$.methodConfig[1].name[0].service: expected a string, found 1"),
        (entry(json!({"name": [{"method": "c"}]})), "$.methodConfig[1].name[0]: the method \"c\" needs a service"),
        (
            entry(json!({"name": [{"service": "", "method": "c"}]})),
            "$.methodConfig[1].name[0]: the method \"c\" needs a service",
        ),
        (
            json!({"methodConfig": [{"name": [{"service": "a"}]}, {"name": [{}, {"service": "a", "method": ""}]}]}),
            "$.methodConfig[1].name[1]: the same name as $.methodConfig[0].name[0]",
        ),
        (
            entry(json!({"name": [{}, {"service": null}]})),
            "$.methodConfig[1].name[1]: the same name as $.methodConfig[1].name[0]",
        ),
        (
            entry(json!({"waitForReady": "true"})),
            "$.methodConfig[1].waitForReady: expected true or false, found \"true\"",
        ),
        (
            entry(json!({"timeout": "3c"})),
            "$.methodConfig[1].timeout: expected a duration such as \"1.5s\", found \"3c\"",
        ),
        (
            entry(json!({"timeout": "-1s"})),
            "$.methodConfig[1].timeout: expected a duration that is not negative, found \"-1s\"",
        ),
        (
            entry(json!({"maxRequestMessageBytes": -1})),
            "$.methodConfig[1].maxRequestMessageBytes: expected a whole number from 0 to 18446744073709551615, found -1",
        ),
        (
            entry(json!({"maxResponseMessageBytes": 1.5})),
            "$.methodConfig[1].maxResponseMessageBytes: expected a whole number from 0 to 18446744073709551615, found 1.5",
        ),
        (
            entry(json!({"retryPolicy": retry("maxAttempts", json!(2)), "hedgingPolicy": {"maxAttempts": 2}})),
            "$.methodConfig[1]: retryPolicy and hedgingPolicy exclude each other",
        ),
    ]);
}

/// A good retry policy with one field replaced.
fn retry(field: &str, value: Value) -> Value {
    let mut policy = json!({
        "maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
        "retryableStatusCodes": ["UNAVAILABLE"],
    });
    policy[field] = value;
    policy
}

#[test]
fn a_wrong_retry_policy_is_rejected_at_its_path() {
    let required = "this field is required";
    let positive = "must be greater than zero";
    let code = "expected a status code (a name such as \"UNAVAILABLE\", or 0 to 16)";
    for (field, value, below, reason) in [
        ("maxAttempts", json!(null), "", required.to_owned()),
        ("maxAttempts", json!(0), "", "must be at least 2, and is 0".into()),
        ("maxAttempts", json!(1), "", "must be at least 2, and is 1".into()),
        ("maxAttempts", json!(-4), "", "expected a whole number from 0 to 4294967295, found -4".into()),
        ("initialBackoff", json!(null), "", required.into()),
        ("initialBackoff", json!("0s"), "", positive.into()),
        ("initialBackoff", json!("fast"), "", "expected a duration such as \"1.5s\", found \"fast\"".into()),
        ("maxBackoff", json!(null), "", required.into()),
        ("maxBackoff", json!("0.0s"), "", positive.into()),
        ("backoffMultiplier", json!(null), "", required.into()),
        ("backoffMultiplier", json!(0), "", positive.into()),
        ("backoffMultiplier", json!(-1), "", positive.into()),
        ("backoffMultiplier", json!("Infinity"), "", "expected a number, found \"Infinity\"".into()),
        ("retryableStatusCodes", json!(null), "", required.into()),
        ("retryableStatusCodes", json!([]), "", "must name at least one status code".into()),
        ("retryableStatusCodes", json!("UNAVAILABLE"), "", "expected an array, found \"UNAVAILABLE\"".into()),
        ("retryableStatusCodes", json!(["OK", "NO"]), "[1]", format!("{code}, found \"NO\"")),
        ("retryableStatusCodes", json!([17]), "[0]", format!("{code}, found 17")),
    ] {
        let config = json!({"methodConfig": [{"retryPolicy": retry(field, value)}]});
        rejections(&[(config, &format!("$.methodConfig[0].retryPolicy.{field}{below}: {reason}"))]);
    }
}

#[test]
fn a_wrong_hedging_policy_is_rejected_at_its_path() {
    for (policy, expected) in [
        (json!([]), ": expected an object, found an array"),
        (json!({}), ".maxAttempts: this field is required"),
        (json!({"maxAttempts": 1}), ".maxAttempts: must be at least 2, and is 1"),
        (
            json!({"maxAttempts": 2, "hedgingDelay": "-0.5s"}),
            ".hedgingDelay: expected a duration that is not negative, found \"-0.5s\"",
        ),
        (
            json!({"maxAttempts": 2, "nonFatalStatusCodes": {}}),
            ".nonFatalStatusCodes: expected an array, found an object",
        ),
    ] {
        let config = json!({"methodConfig": [{"hedgingPolicy": policy}]});
        rejections(&[(config, &format!("$.methodConfig[0].hedgingPolicy{expected}"))]);
    }
}

#[test]
fn wrong_channel_wide_settings_are_rejected_at_their_paths() {
    let throttling = |max: Value, ratio: Value| json!({"retryThrottling": {"maxTokens": max, "tokenRatio": ratio}});
    rejections(&[
        (json!({"retryThrottling": {}}), "$.retryThrottling.maxTokens: this field is required"),
        (throttling(json!(0), json!(1)), "$.retryThrottling.maxTokens: must be greater than zero"),
        (throttling(json!(-1), json!(1)), "$.retryThrottling.maxTokens: must be greater than zero"),
        (throttling(json!(1000.001), json!(1)), "$.retryThrottling.maxTokens: must be at most 1000"),
        (throttling(json!(1e300), json!(1)), "$.retryThrottling.maxTokens: must be at most 1000"),
        (throttling(json!(10), json!(null)), "$.retryThrottling.tokenRatio: this field is required"),
        (throttling(json!(10), json!(0)), "$.retryThrottling.tokenRatio: must be greater than zero"),
        (throttling(json!(10), json!(0.0004)), "$.retryThrottling.tokenRatio: must be at least 0.001"),
        (throttling(json!(10), json!([])), "$.retryThrottling.tokenRatio: expected a number, found an array"),
        (json!({"healthCheckConfig": "foo"}), "$.healthCheckConfig: expected an object, found \"foo\""),
        (
            json!({"healthCheckConfig": {"serviceName": 1}}),
            "$.healthCheckConfig.serviceName: expected a string, found 1",
        ),
        (json!({"connectionScaling": 2}), "$.connectionScaling: expected an object, found 2"),
        (
            json!({"connectionScaling": {"maxConnectionsPerSubchannel": "two"}}),
            "$.connectionScaling.maxConnectionsPerSubchannel: expected a whole number from 0 to 4294967295, found \"two\"",
        ),
    ]);
}

#[test]
fn a_garbled_config_is_rejected_with_a_path_or_read_but_never_panics() {
    const GARBAGE: &[u8] = b"{}[]:,\"0-9.es nulltrue\\";
    let mut random = Random::new(5);
    let mut rejected = 0;
    for _ in 0..20_000 {
        let mut bytes = WHOLE.as_bytes().to_vec();
        for _ in 0..=random.below(3) {
            let place = random.below(bytes.len() as u64) as usize;
            bytes[place] = GARBAGE[random.below(GARBAGE.len() as u64) as usize];
        }
        let text = String::from_utf8(bytes).unwrap();
        if let Err(error) = parse(&text) {
            rejected += 1;
            assert!(error.path.starts_with('$') && !error.reason.is_empty(), "{error}");
        }
    }
    assert!((2_000..20_000).contains(&rejected), "{rejected} rejected");
}
