//! Tests of reading `cases.toml`, the one that is checked in among them.

use super::*;

const ONE: &str = r#"
[[case]]
name = "ping_pong"
thalweg = { client = "on", server = "on" }
grpc-go = { client = "on", server = { off = "it is deaf" } }
python = { client = { off = "it is mute" }, server = "on" }
grpc-js = { client = "on", server = "on" }
"#;

#[test]
fn a_cell_is_off_for_the_reason_of_its_client_or_its_server() {
    let cases = parse(ONE).unwrap();
    let off = |client, server| cases[0].off(client, server);
    assert_eq!(off(Peer::Thalweg, Peer::Thalweg), None);
    assert_eq!(off(Peer::Thalweg, Peer::GrpcGo), Some("it is deaf"));
    assert_eq!(off(Peer::Python, Peer::Thalweg), Some("it is mute"));
    assert_eq!(off(Peer::Python, Peer::GrpcGo), Some("it is mute"));
}

#[test]
fn a_case_that_leaves_out_a_peer_is_an_error() {
    let without_python = ONE.lines().filter(|line| !line.starts_with("python")).collect::<Vec<_>>().join("\n");
    assert!(parse(&without_python).unwrap_err().to_string().contains("python"));
}

#[test]
fn a_mark_other_than_on_and_off_is_an_error() {
    assert!(parse(&ONE.replace("\"on\"", "\"maybe\"")).unwrap_err().to_string().contains("maybe"));
}

#[test]
fn the_cases_checked_in_are_twenty_of_grpc_and_three_of_health_and_thalweg_plays_them_all() {
    let cases = parse(include_str!("../../../cases.toml")).unwrap();
    assert_eq!(cases.len(), 23);
    for case in &cases {
        assert_eq!(case.off(Peer::Thalweg, Peer::Thalweg), None, "{}", case.name);
    }
}
