//! Addresses to listen on are read, or refused with a reason.

use thalweg_core::endpoint::Address;

use super::bind::{Place, parse};

#[test]
fn addresses_to_listen_on_are_read() {
    assert_eq!(parse("127.0.0.1:50051"), Ok(Place::Tcp("127.0.0.1", 50051)));
    assert_eq!(parse("[::]:0"), Ok(Place::Tcp("::", 0)));
    assert_eq!(parse("localhost:1"), Ok(Place::Tcp("localhost", 1)));
    let path = |path: &str| Ok(Place::Unix(Address::Unix(std::path::Path::new(path).into())));
    assert_eq!(parse("unix:/run/a.sock"), path("/run/a.sock"));
    assert_eq!(parse("unix:///run/a.sock"), path("/run/a.sock"));
    assert_eq!(parse("unix:a.sock"), path("a.sock"));
    assert_eq!(parse("unix-abstract:a"), Ok(Place::Unix(Address::UnixAbstract((*b"a").into()))));
}

#[test]
fn a_wrong_address_is_refused_with_the_reason() {
    for (address, reason) in [
        ("127.0.0.1", "it has no port"),
        ("127.0.0.1:70000", "from 0 to 65535"),
        ("127.0.0.1:", "from 0 to 65535"),
        ("::1:50051", "in brackets"),
        (":50051", "no host"),
        ("unix:", "the path is empty"),
    ] {
        let error = parse(address).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains(&format!("{address:?}")), "{error}");
    }
}
