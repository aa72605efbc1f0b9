//! The hash and the choice; the policy's stories are in `tests/it`.

use super::subset::{chosen, hash};
use crate::endpoint::{Address, Endpoint};

fn endpoint(name: &str) -> Endpoint {
    Endpoint::new([Address::Opaque(name.into()), Address::Opaque("second".into())])
}

#[test]
fn the_hash_is_xxh64_of_the_first_address() {
    // What the reference implementation says of these texts, with the seeds 0 and 0x9E37_79B1.
    let mut text = "left over".to_owned();
    assert_eq!(hash(&endpoint("a"), 0, &mut text), 0xD24E_C4F1_A98C_6E5B);
    assert_eq!(hash(&endpoint("abc"), 0, &mut text), 0x44BC_2CF5_AD77_0999);
    assert_eq!(hash(&endpoint(""), 0x9E37_79B1, &mut text), 0xAC75_FDA2_929B_17EF);
}

#[test]
fn the_smallest_hashes_are_chosen_in_their_order() {
    let list: Vec<Endpoint> = (0..40).map(|n| endpoint(&format!("10.0.0.{n}:443"))).collect();
    let mut by_hash = list.clone();
    by_hash.sort_by_key(|endpoint| hash(endpoint, 7, &mut String::new()));
    let keys = |endpoints: &[Endpoint]| endpoints.iter().map(Endpoint::key).collect::<Vec<_>>();
    for size in [1, 5, 39] {
        assert_eq!(keys(&chosen(&list, size, 7)), keys(&by_hash[..size]));
    }
    assert_eq!(keys(&chosen(&list, 40, 7)), keys(&list), "no choice, no order");
    assert!(chosen(&list, 0, 7).is_empty());
}
