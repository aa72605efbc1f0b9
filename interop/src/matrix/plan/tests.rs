//! Tests of what the options select.

use super::*;

fn only(text: &str) -> Only {
    text.parse().unwrap()
}

fn every_case() -> Vec<Case> {
    super::super::cases::parse(include_str!("../../../cases.toml")).unwrap()
}

#[test]
fn thalweg_meets_every_peer_both_ways_under_both_securities() {
    let pairs = pairs(&Only::default());
    assert_eq!(pairs.len(), 14);
    assert!(pairs.iter().all(|pair| pair.client == Peer::Thalweg || pair.server == Peer::Thalweg));
}

#[test]
fn peers_meet_each_other_only_if_both_are_named() {
    assert_eq!(pairs(&only("client=grpc-go,security=tls")).len(), 1);
    let named = pairs(&only("client=grpc-go,server=python,security=tls"));
    let expected = Pair { client: Peer::GrpcGo, server: Peer::Python, security: Security::Tls };
    assert_eq!(named, [expected]);
}

#[test]
fn a_key_given_twice_lets_either_through() {
    let options = MatrixOptions { only: only("case=ping_pong,case=large_unary"), ..Default::default() };
    let all = every_case();
    let names: Vec<_> = cases(&all, &options).into_iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names, ["large_unary", "ping_pong"]);
}

#[test]
fn smoke_leaves_cases_out() {
    let all = every_case();
    let smoke = MatrixOptions { smoke: true, ..Default::default() };
    let selected = cases(&all, &smoke).len();
    assert!(0 < selected && selected < all.len());
}

#[test]
fn a_case_that_there_is_not_is_an_error() {
    let all = ["ping_pong", "large_unary"];
    assert_eq!(check_names(&only("case=ping_pong"), &all), Ok(()));
    let error = check_names(&only("case=ping_pong,case=pong_ping"), &all).unwrap_err();
    assert_eq!(error, UnknownCase("pong_ping".to_owned()));
}

#[test]
fn a_part_of_only_that_says_nothing_is_an_error_that_names_it() {
    let error = |text: &str| text.parse::<Only>().unwrap_err().to_string();
    assert_eq!(error("thalweg"), r#""thalweg" is not of the form key=value"#);
    assert_eq!(error("peer=thalweg"), r#"there is no key "peer"; there are client, server, case and security"#);
    assert_eq!(
        error("client=java"),
        r#"client cannot be "java": there are thalweg, grpc-go, python, grpc-js, h2spec, h2load, nghttp, nghttpd"#
    );
    assert_eq!(error("security=tsl"), r#"security cannot be "tsl": there are plaintext, tls"#);
}

#[test]
fn a_tool_is_named_like_a_peer() {
    let cell = |client, server| Cell { client, server, security: Security::Tls, case: "hpack" };
    let wanted = only("client=h2spec,security=tls");
    assert!(selects(&wanted, cell("h2spec", "thalweg")));
    assert!(!selects(&wanted, cell("h2load", "thalweg")));
    assert!(pairs(&wanted).is_empty());
}
