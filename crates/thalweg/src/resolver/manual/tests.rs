//! A resolver that tests and applications drive by hand.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use thalweg_core::{endpoint::Endpoint, lb::registry::Policies, target::Target};
use tokio::time::timeout;

use super::ManualResolver;
use crate::resolver::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate};

fn update(port: u16) -> ResolverUpdate {
    let endpoints = vec![Endpoint::new([SocketAddr::from(([127, 0, 0, 1], port))])];
    ResolverUpdate { endpoints, ..ResolverUpdate::default() }
}

fn build(manual: &ManualResolver) -> (Box<dyn Resolver>, ResolverContext) {
    let cx = ResolverContext::new(Arc::new(Policies::default()));
    let target = Target::parse("push:greeter", |scheme| scheme == manual.scheme()).unwrap();
    (manual.build(&target, cx.clone()).unwrap(), cx)
}

async fn next(resolver: &mut Box<dyn Resolver>) -> String {
    match resolver.next().await {
        Ok(update) => update.endpoints[0].addresses()[0].to_string(),
        Err(error) => error.to_string(),
    }
}

async fn is_silent(resolver: &mut Box<dyn Resolver>) -> bool {
    timeout(Duration::from_secs(3600), resolver.next()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn a_result_set_before_the_channel_exists_is_seen_by_every_channel() {
    let manual = ManualResolver::new("Push");
    manual.set(update(1));
    for _ in 0..2 {
        let (mut resolver, _) = build(&manual);
        assert_eq!(next(&mut resolver).await, "127.0.0.1:1");
        assert!(is_silent(&mut resolver).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_channel_waits_for_the_first_result_and_then_sees_each_change() {
    let manual = ManualResolver::new("push");
    let (mut resolver, _) = build(&manual);
    assert!(is_silent(&mut resolver).await);
    manual.set(update(1));
    assert_eq!(next(&mut resolver).await, "127.0.0.1:1");
    manual.fail(ResolveError::Other("the registry is down".into()));
    assert_eq!(next(&mut resolver).await, "the registry is down");
    manual.set(update(2));
    manual.set(update(3));
    assert_eq!(next(&mut resolver).await, "127.0.0.1:3", "the last one counts");
    assert!(is_silent(&mut resolver).await);
}

#[tokio::test(start_paused = true)]
async fn a_question_of_the_channel_reaches_the_application() {
    let manual = ManualResolver::new("push");
    manual.set(update(1));
    let (mut resolver, cx) = build(&manual);
    assert_eq!(next(&mut resolver).await, "127.0.0.1:1");
    cx.ask();
    let application = {
        let manual = manual.clone();
        async move {
            manual.asked().await;
            manual.set(update(2));
        }
    };
    let ((), seen) = tokio::join!(application, next(&mut resolver));
    assert_eq!(seen, "127.0.0.1:2");
}

#[tokio::test(start_paused = true)]
async fn a_resolver_whose_application_has_gone_stays_silent() {
    let manual = ManualResolver::new("push");
    let (mut resolver, _) = build(&manual);
    drop(manual);
    assert!(is_silent(&mut resolver).await);
}
