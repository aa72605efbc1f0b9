//! In which order addresses are tried. (What the policy does with them is told in the crate's stories.)

use super::addresses::in_order;
use crate::{
    endpoint::{Endpoint, Weight},
    random::Random,
};

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

/// How often each of some endpoints with these weights comes first, and second, of 60,000 orders.
fn places(weights: &[Option<u32>]) -> (Vec<f64>, Vec<f64>) {
    const ORDERS: u32 = 60_000;
    let weighted = |(n, weight): (usize, &Option<u32>)| {
        let plain = endpoint(&[&format!("1.1.1.{n}:1")]);
        weight.map_or_else(|| plain.clone(), |weight| plain.clone().with(Weight::new(weight)))
    };
    let endpoints: Vec<_> = weights.iter().enumerate().map(weighted).collect();
    let (mut first, mut second) = (vec![0; weights.len()], vec![0; weights.len()]);
    let mut random = Random::new(9);
    for _ in 0..ORDERS {
        let order = in_order(&endpoints, Some(&mut random));
        let place = |n: usize| endpoints.iter().position(|e| e.addresses()[0] == order[n].1).unwrap();
        first[place(0)] += 1;
        second[place(1)] += 1;
    }
    let shares = |counts: Vec<u32>| counts.into_iter().map(|count| f64::from(count) / f64::from(ORDERS)).collect();
    (shares(first), shares(second))
}

#[track_caller]
fn assert_close(shares: &[f64], expected: &[f64]) {
    // Five sigma of a share of 60,000 are at most 0.0103.
    let close = shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 0.0103);
    assert!(close && shares.len() == expected.len(), "{shares:?} is not {expected:?}");
}

#[test]
fn shuffling_puts_each_endpoint_first_as_often_as_it_weighs() {
    let (first, second) = places(&[Some(1), Some(2), Some(3)]);
    assert_close(&first, &[1.0 / 6.0, 2.0 / 6.0, 3.0 / 6.0]);
    // Drawn again among the two that are left.
    let second_a = (2.0 / 6.0) * (1.0 / 4.0) + (3.0 / 6.0) * (1.0 / 3.0);
    let second_b = (1.0 / 6.0) * (2.0 / 5.0) + (3.0 / 6.0) * (2.0 / 3.0);
    assert_close(&second, &[second_a, second_b, 1.0 - second_a - second_b]);
}

#[test]
fn weights_of_zero_and_none_at_all_count_as_one_and_huge_ones_do_no_harm() {
    assert_close(&places(&[None, Some(0), Some(1), Some(3)]).0, &[1.0 / 6.0, 1.0 / 6.0, 1.0 / 6.0, 0.5]);
    // As large as A113's fixed point makes them.
    assert_close(&places(&[Some(1 << 30), Some(1 << 31)]).0, &[1.0 / 3.0, 2.0 / 3.0]);
    assert_close(&places(&[Some(u32::MAX), Some(u32::MAX)]).0, &[0.5, 0.5]);
    assert_close(&places(&[None, Some(u32::MAX)]).0, &[0.0, 1.0]);
}
