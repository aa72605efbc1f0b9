//! Names that change, fail and heal: a scripted name system on paused time, and real ones on this machine.

#[cfg(feature = "dns")]
mod server;
mod timing;
mod txt;

use std::{
    collections::VecDeque,
    future,
    sync::{Arc, Mutex},
    time::Duration,
};

use thalweg_core::{lb::registry::Policies, target::Target};
use tokio::time::Instant;

use super::{
    DnsOptions, DnsResolver,
    lookup::{Answer, Lookup, failed},
    watch::Watch,
};
use crate::{
    resolver::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate},
    rt::BoxFuture,
};

/// A name system that answers by a script and notes when it was asked.
#[derive(Clone, Debug)]
struct Script(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    began: Instant,
    answers: VecDeque<Result<Answer, ResolveError>>,
    records: VecDeque<Result<Vec<String>, ResolveError>>,
    asked_at: Vec<u64>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<Answer, ResolveError>>) -> Self {
        Self(Arc::new(Mutex::new(State {
            began: Instant::now(),
            answers: answers.into_iter().collect(),
            records: VecDeque::new(),
            asked_at: Vec::new(),
        })))
    }

    fn with_records(self, records: impl IntoIterator<Item = Result<Vec<String>, ResolveError>>) -> Self {
        self.0.lock().unwrap().records = records.into_iter().collect();
        self
    }

    /// When addresses were asked for, in seconds since the script was made.
    fn asked_at(&self) -> Vec<u64> {
        self.0.lock().unwrap().asked_at.clone()
    }
}

impl Lookup for Script {
    fn addresses<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Answer, ResolveError>> {
        let mut state = self.0.lock().unwrap();
        let elapsed = state.began.elapsed().as_secs();
        state.asked_at.push(elapsed);
        match state.answers.pop_front() {
            Some(answer) => Box::pin(future::ready(answer)),
            None => Box::pin(future::pending()),
        }
    }

    fn txt<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Vec<String>, ResolveError>> {
        assert_eq!(name, "_grpc_config.greeter");
        Box::pin(future::ready(self.0.lock().unwrap().records.pop_front().unwrap()))
    }
}

/// Addresses `10.0.0.N`, valid for `ttl` seconds.
fn found(last_bytes: &[u8], ttl: Option<u64>) -> Result<Answer, ResolveError> {
    let addresses = last_bytes.iter().map(|byte| [10, 0, 0, *byte].into()).collect();
    Ok(Answer { addresses, ttl: ttl.map(Duration::from_secs) })
}

fn context() -> ResolverContext {
    ResolverContext::new(Arc::new(Policies::default()))
}

fn watch(script: &Script, options: DnsOptions) -> (Watch, ResolverContext) {
    let cx = context();
    (Watch::new("greeter", 50051, options, Box::new(script.clone()), cx.clone()), cx)
}

/// A resolver of the real kind.
fn real(target: &str) -> Box<dyn Resolver> {
    let target = Target::parse(target, |scheme| scheme == "dns").unwrap();
    DnsResolver::default().build(&target, context()).unwrap()
}

fn addresses(update: &ResolverUpdate) -> String {
    let all: Vec<_> = update.endpoints.iter().map(|endpoint| endpoint.addresses()[0].to_string()).collect();
    all.join(" ")
}

#[tokio::test]
async fn localhost_resolves_on_a_machine_without_a_network() {
    let update = real("localhost:50051").next().await.unwrap();
    let found = addresses(&update);
    assert!(found.contains("127.0.0.1:50051") || found.contains("[::1]:50051"), "{found}");
}

#[tokio::test]
async fn the_operating_system_resolves_localhost_too() {
    let answer = super::lookup::System.addresses("localhost").await.unwrap();
    assert!(answer.addresses.iter().all(std::net::IpAddr::is_loopback), "{answer:?}");
    let error = super::lookup::System.txt("localhost").await.unwrap_err();
    assert_eq!(error, failed("localhost", "the operating system's resolver gives no TXT records"));
}

#[test]
fn a_name_server_is_named_by_its_address() {
    let build = |target: &str| {
        let target = Target::parse(target, |scheme| scheme == "dns").unwrap();
        DnsResolver::default().build(&target, context()).map(|_| ())
    };
    if cfg!(feature = "dns") {
        assert_eq!(build("dns://8.8.8.8/greeter:50051"), Ok(()));
        assert_eq!(build("dns://[::1]:5353/greeter"), Ok(()));
        let error = build("dns://ns.example.com/greeter").unwrap_err();
        assert_eq!(error.to_string(), r#""ns.example.com": a DNS server is named by its IP address"#);
    } else {
        let error = build("dns://8.8.8.8/greeter").unwrap_err().to_string();
        assert_eq!(error, r#""8.8.8.8": asking a DNS server of one's choice needs the feature `dns`"#);
    }
}
