//! Service configs that come with a name, good and broken (A21).

use std::sync::Arc;

use thalweg::{
    core::{json::ConfigError, lb::registry::Policies, service_config::ServiceConfig},
    resolver::ResolverUpdate,
};
use tonic::Code;

use super::fixture::{World, call, call_patiently};

fn with_config(update: ResolverUpdate, config: Result<&str, ConfigError>) -> ResolverUpdate {
    let config = config.and_then(|json| ServiceConfig::parse(json, &Policies::builtin())).map(Arc::new);
    ResolverUpdate { service_config: Some(config), ..update }
}

/// A config whose calls never work: no response may be as large as theirs.
const STRICT: &str = r#"{"methodConfig": [{"name": [{}], "maxResponseMessageBytes": 1}]}"#;

fn broken() -> ConfigError {
    ConfigError::new("$.methodConfig", "expected an array, found 7")
}

#[tokio::test(start_paused = true)]
async fn a_broken_config_leaves_the_last_good_one_in_use_and_its_addresses_count() {
    let world = World::new();
    let _backends = [world.backend("10.0.0.1:80").await, world.backend("10.0.0.2:80").await];
    let channel = world.channel();
    world.names.set(with_config(world.update(&["10.0.0.1:80"]), Ok(STRICT)));
    assert_eq!(call(&channel).await.unwrap_err().code(), Code::ResourceExhausted);
    world.names.set(with_config(world.update(&["10.0.0.2:80"]), Err(broken())));
    while world.network.host("10.0.0.2:80").connections().is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!(call(&channel).await.unwrap_err().code(), Code::ResourceExhausted);
}

#[tokio::test(start_paused = true)]
async fn a_broken_config_before_any_good_one_fails_calls_and_says_where_it_is_broken() {
    let world = World::new();
    let _backend = world.backend("10.0.0.1:80").await;
    let channel = world.channel();
    world.names.set(with_config(world.update(&["10.0.0.1:80"]), Err(broken())));
    let status = call(&channel).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(status.message().contains("$.methodConfig: expected an array, found 7"), "{status}");
    world.names.set(with_config(world.update(&["10.0.0.1:80"]), Ok("{}")));
    assert_eq!(call_patiently(&channel).await.unwrap(), "10.0.0.1:80");
}

#[tokio::test(start_paused = true)]
async fn a_channel_may_leave_resolved_configs_aside() {
    let world = World::new();
    let _backend = world.backend("10.0.0.1:80").await;
    let channel = world.builder().disable_resolved_service_config().build().unwrap();
    for config in [Ok(STRICT), Err(broken())] {
        world.names.set(with_config(world.update(&["10.0.0.1:80"]), config));
        assert_eq!(call(&channel).await.unwrap(), "10.0.0.1:80");
    }
}

#[tokio::test(start_paused = true)]
async fn the_default_config_is_in_force_while_the_name_has_none() {
    let world = World::new();
    let _backend = world.backend("10.0.0.1:80").await;
    let channel = world.builder().default_service_config(STRICT).build().unwrap();
    world.names.set(world.update(&["10.0.0.1:80"]));
    assert_eq!(call(&channel).await.unwrap_err().code(), Code::ResourceExhausted);
}
