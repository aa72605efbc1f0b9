//! In which order addresses are tried. (What the policy does with them is told in the crate's stories.)

use super::addresses::in_order;
use crate::{endpoint::Endpoint, random::Random};

fn endpoint(addresses: &[&str]) -> Endpoint {
    Endpoint::new(addresses.iter().map(|a| a.parse::<std::net::SocketAddr>().unwrap()))
}

fn ordered(endpoints: &[Endpoint], shuffle: Option<&mut Random>) -> Vec<String> {
    in_order(endpoints, shuffle).into_iter().map(|(_, address)| address.to_string()).collect()
}

#[test]
fn families_take_turns_beginning_with_the_first() {
    let endpoints = [endpoint(&["[::1]:1", "[::2]:1", "[::3]:1"]), endpoint(&["1.1.1.1:1"]), endpoint(&["1.1.1.2:1"])];
    assert_eq!(ordered(&endpoints, None), ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"]);
}

#[test]
fn an_ipv4_address_in_ipv6_clothes_is_an_ipv4_address() {
    let endpoints = [endpoint(&["1.1.1.1:1", "[::ffff:1.1.1.2]:1", "[::1]:1"])];
    assert_eq!(ordered(&endpoints, None), ["1.1.1.1:1", "[::1]:1", "[::ffff:1.1.1.2]:1"]);
}

#[test]
fn an_address_of_two_endpoints_is_tried_once() {
    let endpoints = [endpoint(&["1.1.1.1:1", "1.1.1.2:1"]), endpoint(&["1.1.1.2:1", "1.1.1.3:1"])];
    assert_eq!(ordered(&endpoints, None), ["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1"]);
}

#[test]
fn shuffling_moves_endpoints_but_not_the_addresses_within_one() {
    let endpoints: Vec<_> = (0..8).map(|i| endpoint(&[&format!("1.1.1.{i}:1"), &format!("1.1.1.{i}:2")])).collect();
    let (plain, shuffled) = (ordered(&endpoints, None), ordered(&endpoints, Some(&mut Random::new(3))));
    assert_ne!(plain, shuffled);
    for pair in shuffled.chunks(2) {
        assert_eq!(pair[0].replace(":1", ":2"), pair[1]);
    }
    let mut sorted = shuffled;
    sorted.sort();
    assert_eq!(plain, sorted);
}
