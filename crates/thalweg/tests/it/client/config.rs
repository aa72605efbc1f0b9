//! Service configs and config selectors, as calls feel them. How results reach a channel is tested with the resolvers.

use std::{sync::Arc, time::Duration};

use thalweg::{
    BoxFuture, Channel,
    config::{CallConfig, CallInfo, ConfigSelector},
    core::{
        endpoint::Endpoint,
        service_config::{MethodConfig, ServiceConfig},
        status::{Code as CoreCode, Status as CoreStatus},
        target::{Target, TargetError},
    },
    error::LocalError,
    registry::Registry,
    request::RequestExt,
    resolver::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate},
};
use thalweg_proto::demo::HelloRepeatedlyRequest;
use tokio::time::Instant;
use tonic::{Code, Request};

use crate::support::{
    client,
    fleet::{Fleet, ONE, ROUND_ROBIN, THREE, TWO},
    hello,
    load::Load,
    named, pass, send, settle, told,
};

fn with_config(fleet: &Fleet, json: &str) -> Channel {
    fleet.builder(&format!("ipv4:{ONE}")).default_service_config(json).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_call_goes_by_its_methods_config_or_else_its_services_or_else_the_one_for_all() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    let config = |name: &str| {
        format!(
            r#"{{"methodConfig": [
                {{"name": [{{}}], "timeout": "0.3s"}},
                {{"name": [{{"service": "thalweg.demo.v1.{name}"}}], "timeout": "0.2s"}},
                {{"name": [{{"service": "thalweg.demo.v1.{name}", "method": "SayHello"}}], "timeout": "0.1s"}}
            ]}}"#
        )
    };
    for (service, unary, streaming) in [("Greeter", 100, 200), ("Other", 300, 300)] {
        let channel = with_config(&fleet, &config(service));
        channel.ready().await;
        let begun = Instant::now();
        assert_eq!(hello(&channel, "hang").await.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(begun.elapsed().as_millis(), unary);

        let begun = Instant::now();
        let repeat = HelloRepeatedlyRequest { name: "stay".into(), times: 0, interval_ms: 0 };
        let mut replies = client(&channel).say_hello_repeatedly(repeat).await.unwrap().into_inner();
        assert_eq!(replies.message().await.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(begun.elapsed().as_millis(), streaming);
    }
}

#[tokio::test(start_paused = true)]
async fn a_config_may_have_calls_wait_for_ready_and_a_call_may_differ() {
    let fleet = Fleet::new();
    fleet.network.host(ONE).refuse();
    let channel = with_config(&fleet, r#"{"methodConfig": [{"name": [{}], "waitForReady": true}]}"#);
    let waiting = crate::support::call(&channel, named("ann"));
    pass(Duration::from_secs(60)).await;
    assert!(!waiting.is_finished());
    let mut impatient = named("ann");
    impatient.set_wait_for_ready(false);
    assert_eq!(send(&channel, impatient).await.unwrap_err().code(), Code::Unavailable);
    let _one = fleet.start(ONE).await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_new_config_may_change_the_policy_without_a_failed_call() {
    let fleet = Fleet::new();
    let (_one, two) = (fleet.start(ONE).await, fleet.start(TWO).await);
    let pick_first = fleet.update(&[ONE, TWO]);
    let round_robin = ResolverUpdate {
        service_config: Some(ServiceConfig::parse(ROUND_ROBIN, Registry::default().policies()).map(Arc::new)),
        ..pick_first.clone()
    };
    fleet.names.set(pick_first.clone());
    let channel = fleet.builder("names:fleet").build().unwrap();
    let load = Load::start(&channel, 5);
    pass(Duration::from_millis(100)).await;
    assert_eq!(two.calls(), 0);
    fleet.names.set(round_robin);
    pass(Duration::from_millis(100)).await;
    let by_then = two.calls();
    assert!((45..=51).contains(&by_then), "{by_then}");
    fleet.names.set(pick_first);
    pass(Duration::from_millis(100)).await;
    let tally = load.finish().await;
    assert!(tally.failed.is_empty(), "{:?}", tally.failed);
    assert!(two.calls() <= by_then + 5, "{}", two.calls());
}

#[tokio::test(start_paused = true)]
async fn a_switch_to_a_policy_that_cannot_connect_waits_for_it_while_the_old_one_serves() {
    let fleet = Fleet::new();
    let _one = fleet.start(ONE).await;
    fleet.network.host(TWO).black_hole();
    fleet.names.set(fleet.update(&[ONE]));
    let channel = fleet.builder("names:fleet").build().unwrap();
    hello(&channel, "ann").await.unwrap();
    fleet.names.set(ResolverUpdate {
        service_config: Some(ServiceConfig::parse(ROUND_ROBIN, Registry::default().policies()).map(Arc::new)),
        ..fleet.update(&[TWO])
    });
    for _ in 0..10 {
        pass(Duration::from_secs(1)).await;
        assert_eq!(hello(&channel, "ann").await.unwrap().backend, ONE);
    }
    let _two = fleet.start(TWO).await;
    settle().await;
    assert_eq!(hello(&channel, "ann").await.unwrap().backend, TWO);
}

/// Refuses some methods, and gives all others a timeout.
#[derive(Debug)]
struct Selector(CoreCode);

impl ConfigSelector for Selector {
    fn select(&self, call: &CallInfo<'_>) -> Result<CallConfig, CoreStatus> {
        let mut refused = false;
        call.metadata.each_value("x-refuse", &mut |value| refused = value == b"yes");
        if refused {
            return Err(CoreStatus::new(self.0, format!("{} is not for you", call.method)));
        }
        let method = MethodConfig { timeout: Some(Duration::from_millis(100)), ..MethodConfig::default() };
        Ok(CallConfig { method: Some(Arc::new(method)), hash: None })
    }
}

#[tokio::test(start_paused = true)]
async fn a_config_selector_configures_each_call_or_refuses_it_with_codes_that_are_its_own() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    let method = "/thalweg.demo.v1.Greeter/SayHello";
    for (code, seen, text) in [
        (CoreCode::Unavailable, Code::Unavailable, format!("{method} is not for you")),
        (CoreCode::PermissionDenied, Code::PermissionDenied, format!("{method} is not for you")),
        (
            CoreCode::InvalidArgument,
            Code::Internal,
            format!("illegal status from the control plane: INVALID_ARGUMENT: {method} is not for you"),
        ),
    ] {
        let selector: Arc<dyn ConfigSelector> = Arc::new(Selector(code));
        fleet.names.set(ResolverUpdate { config_selector: Some(selector), ..fleet.update(&[ONE]) });
        let channel = fleet.builder("names:fleet").build().unwrap();
        channel.ready().await;
        let begun = Instant::now();
        assert_eq!(hello(&channel, "hang").await.unwrap_err().code(), Code::DeadlineExceeded);
        assert_eq!(begun.elapsed().as_millis(), 100);
        let calls = one.calls();
        let mut request = named("ann");
        request.metadata_mut().insert("x-refuse", "yes".parse().unwrap());
        request.set_wait_for_ready(true);
        let status = send(&channel, request).await.unwrap_err();
        assert_eq!(told(&status), (seen, &*text, Some(LocalError::NoBackend)));
        assert_eq!(one.calls(), calls);
    }
}

/// Resolves `digits:123` to the backends 10.0.0.1, 10.0.0.2 and 10.0.0.3.
#[derive(Debug)]
struct Digits;

struct Answer(Option<ResolverUpdate>);

impl ResolverFactory for Digits {
    fn scheme(&self) -> &str {
        "digits"
    }

    fn build(&self, target: &Target, _: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        let mut endpoints = vec![];
        for digit in target.path.chars() {
            let address = format!("10.0.0.{digit}:50051").parse::<std::net::SocketAddr>();
            let reason = || TargetError::Rejected { piece: digit.into(), reason: "not a digit".into() };
            endpoints.push(Endpoint::new([address.map_err(|_| reason())?]));
        }
        Ok(Box::new(Answer(Some(ResolverUpdate { endpoints, ..ResolverUpdate::default() }))))
    }

    fn default_authority(&self, _: &Target) -> String {
        "digits.example".into()
    }
}

impl Resolver for Answer {
    fn next(&mut self) -> BoxFuture<'_, Result<ResolverUpdate, ResolveError>> {
        let answer = self.0.take();
        Box::pin(async move {
            match answer {
                Some(answer) => Ok(answer),
                None => std::future::pending().await,
            }
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_of_the_users_own_serves_its_scheme() {
    let fleet = Fleet::new();
    let _backends = (fleet.start(ONE).await, fleet.start(TWO).await, fleet.start(THREE).await);
    let builder = |target: &str| {
        Channel::builder(target)
            .registry(Registry::default().with_resolver(Digits))
            .connector(fleet.network.clone())
            .default_service_config(ROUND_ROBIN)
    };
    let channel = builder("digits:123").build().unwrap();
    channel.ready().await;
    settle().await;
    let mut seen = vec![];
    for _ in 0..3 {
        seen.push(hello(&channel, "ann").await.unwrap().backend);
    }
    seen.sort();
    assert_eq!(seen, [ONE, TWO, THREE]);
    assert_eq!(builder("digits:1x").build().unwrap_err().to_string(), r#""x": not a digit"#);
}

#[tokio::test(start_paused = true)]
async fn the_deadline_of_a_config_counts_from_the_beginning_of_the_call() {
    let fleet = Fleet::new();
    let one = fleet.start(ONE).await;
    one.host.set_latency(Duration::from_millis(20));
    let channel = with_config(&fleet, r#"{"methodConfig": [{"name": [{}], "timeout": "0.1s"}]}"#);
    let begun = Instant::now();
    let status = client(&channel).say_hello(Request::new(named("hang").into_inner())).await.unwrap_err();
    assert_eq!((status.code(), begun.elapsed().as_millis()), (Code::DeadlineExceeded, 100));
}
