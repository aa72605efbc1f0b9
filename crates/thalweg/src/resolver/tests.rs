//! Targets and what they resolve to, through the registry in the box.

use std::sync::Arc;

use thalweg_core::{
    lb::registry::Policies,
    target::{Target, TargetError},
};

use super::{Resolver, ResolverContext, ResolverFactory, dns::DnsResolver, ip::IpResolver, unix::UnixResolver};
use crate::resolver::passthrough::PassthroughResolver;

fn factories() -> Vec<Box<dyn ResolverFactory>> {
    vec![
        Box::new(DnsResolver::default()),
        Box::new(IpResolver::v4()),
        Box::new(IpResolver::v6()),
        Box::new(UnixResolver::path()),
        Box::new(UnixResolver::abstract_name()),
        Box::new(PassthroughResolver),
    ]
}

fn build(text: &str) -> Result<Box<dyn Resolver>, TargetError> {
    let factories = factories();
    let target = Target::parse(text, |scheme| factories.iter().any(|factory| factory.scheme() == scheme))?;
    let factory = factories.iter().find(|factory| factory.scheme() == target.scheme).unwrap();
    factory.build(&target, ResolverContext::new(Arc::new(Policies::default())))
}

async fn resolve(text: &str) -> String {
    let update = build(text).unwrap().next().await.unwrap();
    assert!(update.endpoints.iter().all(|endpoint| endpoint.addresses().len() == 1), "an endpoint per address");
    let addresses: Vec<_> = update.endpoints.iter().map(|endpoint| endpoint.addresses()[0].to_string()).collect();
    addresses.join(" ")
}

#[tokio::test]
async fn targets_that_are_addresses_resolve_to_themselves() {
    for (target, expected) in [
        ("ipv4:1.2.3.4:80", "1.2.3.4:80"),
        ("ipv4:1.2.3.4,5.6.7.8:81", "1.2.3.4:443 5.6.7.8:81"),
        ("ipv4:///1.2.3.4:80", "1.2.3.4:80"),
        ("ipv6:[::1]:80,[::2]:81", "[::1]:80 [::2]:81"),
        ("ipv6:::1", "[::1]:443"),
        ("ipv6:[fe80::1%252]:80", "[fe80::1%2]:80"),
        ("127.0.0.1:50051", "127.0.0.1:50051"),
        ("127.0.0.1", "127.0.0.1:443"),
        ("dns:///[::1]:50051", "[::1]:50051"),
        ("[::1]:50051", "[::1]:50051"),
        ("unix:relative/socket", "unix:relative/socket"),
        ("unix:///run/greeter", "unix:/run/greeter"),
        ("unix-abstract:greeter", "unix-abstract:greeter"),
        ("passthrough:///greeter:80", "greeter:80"),
        ("passthrough:memory", "memory"),
    ] {
        assert_eq!(resolve(target).await, expected, "{target}");
    }
}

#[test]
fn targets_that_cannot_resolve_name_the_piece_that_is_wrong() {
    for (target, expected) in [
        ("ipv4:1.2.3.4:0", r#""1.2.3.4:0": the port "0" is not a number from 1 to 65535"#),
        ("ipv4:1.2.3.4:80,5.6.7.8:70000", r#""5.6.7.8:70000": the port "70000" is not a number from 1 to 65535"#),
        ("ipv4:[::1]:80", r#""::1": not an IPv4 address"#),
        ("ipv4:greeter:80", r#""greeter": not an IPv4 address"#),
        ("ipv6:127.0.0.1:80", r#""127.0.0.1": not an IPv6 address"#),
        ("ipv4:1.2.3.4:80,", r#""" has no host"#),
        ("dns:///greeter:http", r#""greeter:http": the port "http" is not a number from 1 to 65535"#),
    ] {
        assert_eq!(build(target).err().unwrap().to_string(), expected, "{target}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_address_is_told_once_however_often_the_channel_asks() {
    let cx = ResolverContext::new(Arc::new(Policies::default()));
    let target = Target::parse("127.0.0.1:80", |_| false).unwrap();
    let mut resolver = DnsResolver::default().build(&target, cx.clone()).unwrap();
    resolver.next().await.unwrap();
    cx.ask();
    let again = tokio::time::timeout(std::time::Duration::from_secs(3600), resolver.next()).await;
    assert!(again.is_err(), "it answered again");
}
