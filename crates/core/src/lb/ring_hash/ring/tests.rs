//! The ring against grpc-go's. The expected values were printed by its `newRing` and `ring.pick` (v1.85.0).

use std::sync::Arc;

use super::{Recipe, Ring, hash, hasher};

/// The ring of these hash keys and weights.
fn ring(mut owners: Vec<(String, u64)>, min: u32, max: u32) -> Ring {
    owners.sort();
    let owners = owners.into_iter().map(|(key, weight)| (Arc::from(key), weight)).collect();
    Ring::new(Recipe { owners, min, max })
}

fn named(owners: &[(&str, u64)]) -> Vec<(String, u64)> {
    owners.iter().map(|(key, weight)| ((*key).to_owned(), *weight)).collect()
}

fn many(count: u64, weight: impl Fn(u64) -> u64) -> Vec<(String, u64)> {
    (0..count).map(|n| (format!("10.0.{}.{}:443", n >> 8, n & 255), weight(n))).collect()
}

/// One number for a whole ring: every hash with its owner's key, in order.
fn digest(ring: &Ring) -> u64 {
    use std::hash::Hasher;
    let mut digest = hasher();
    for (hash, key) in ring.iter() {
        digest.write(&hash.to_le_bytes());
        digest.write(key.as_bytes());
        digest.write(b"\n");
    }
    digest.finish()
}

fn owner_of(ring: &Ring, hash: u64) -> &str {
    &ring.recipe.owners[ring.owner(ring.place(hash)).unwrap()].0
}

#[test]
fn a_small_ring_has_the_places_that_it_has_in_grpc_go() {
    let ring = ring(named(&[("a", 3), ("b", 3), ("c", 4)]), 10, 20);
    let expected = [
        (4_148_279_810_343_392_165, "a"),
        (4_189_641_231_046_734_040, "b"),
        (5_051_629_784_258_667_479, "c"),
        (5_637_671_355_026_233_228, "b"),
        (6_560_897_439_782_492_108, "b"),
        (7_866_922_100_246_443_948, "a"),
        (8_142_612_688_290_817_183, "c"),
        (14_554_126_711_339_088_812, "c"),
        (14_801_583_559_950_740_418, "c"),
        (18_017_992_814_255_492_179, "a"),
    ];
    assert_eq!(ring.iter().collect::<Vec<_>>(), expected);
    assert_eq!((ring.places(0), ring.places(1), ring.places(2)), (&[0, 5, 9][..], &[1, 3, 4][..], &[2, 6, 7, 8][..]));
}

/// A ring of grpc-go's: its size, its digest, and the owners of the hashes of [`KEYS`], of the largest and of zero.
struct Expected {
    owners: Vec<(String, u64)>,
    sizes: (u32, u32),
    len: usize,
    digest: u64,
    picks: [&'static str; 7],
}

const KEYS: [&str; 5] = ["", "ann", "bob", "user-12345", "a,b"];

fn check(expected: Expected) {
    let (min, max) = expected.sizes;
    let ring = ring(expected.owners, min, max);
    assert_eq!((ring.len(), digest(&ring)), (expected.len, expected.digest));
    let hashes = KEYS.iter().map(|key| hash(key.as_bytes())).chain([u64::MAX, 0]);
    assert_eq!(hashes.map(|hash| owner_of(&ring, hash)).collect::<Vec<_>>(), expected.picks);
}

#[test]
fn rings_of_a_few_owners_are_those_of_grpc_go() {
    let [zero, one, two] = ["10.0.0.0:443", "10.0.0.1:443", "10.0.0.2:443"];
    check(Expected { owners: many(1, |_| 1), sizes: (1, 1), len: 1, digest: 0x0A50_C8F2_FC66_9526, picks: [zero; 7] });
    check(Expected {
        owners: many(3, |_| 1),
        sizes: (1024, 4096),
        len: 1026,
        digest: 0x1E27_68A5_2755_82E8,
        picks: [zero, zero, one, two, one, one, one],
    });
    check(Expected {
        owners: named(&[("10.0.0.1:443", 1), ("10.0.0.2:443", 1_000_000)]),
        sizes: (1024, 4096),
        len: 4096,
        digest: 0x183C_52C5_C9C8_2283,
        picks: [two; 7],
    });
    check(Expected {
        owners: named(&[("10.0.0.1:443", 1), ("10.0.0.2:443", 99), ("10.0.0.3:443", 7)]),
        sizes: (64, 4096),
        len: 108,
        digest: 0x73C6_5A10_19D7_9582,
        picks: [two, "10.0.0.3:443", two, two, two, two, two],
    });
    let v6 = "[2001:db8::1]:443";
    check(Expected {
        owners: named(&[("zeta", 2), (v6, 1), ("alpha", 5)]),
        sizes: (1024, 4096),
        len: 1024,
        digest: 0x94A7_09D6_2E8A_DCD4,
        picks: [v6, "zeta", v6, v6, "alpha", "alpha", "alpha"],
    });
}

#[test]
fn rings_of_many_owners_are_those_of_grpc_go() {
    check(Expected {
        owners: many(100, |n| n % 7 + 1),
        sizes: (1024, 4096),
        len: 1185,
        digest: 0x5DB9_A464_4B08_C461,
        picks: [
            "10.0.0.12:443",
            "10.0.0.71:443",
            "10.0.0.35:443",
            "10.0.0.82:443",
            "10.0.0.49:443",
            "10.0.0.68:443",
            "10.0.0.68:443",
        ],
    });
    check(Expected {
        owners: many(10_000, |_| 1),
        sizes: (1024, 4096),
        len: 4096,
        digest: 0xB0B1_0FE7_EF29_44A6,
        picks: [
            "10.0.17.85:443",
            "10.0.0.71:443",
            "10.0.26.42:443",
            "10.0.35.227:443",
            "10.0.32.62:443",
            "10.0.14.47:443",
            "10.0.14.47:443",
        ],
    });
    check(Expected {
        owners: many(10_000, |n| n % 3 + 1),
        sizes: (16_384, 65_536),
        len: 19_999,
        digest: 0x3571_528A_BF22_EF95,
        picks: [
            "10.0.25.246:443",
            "10.0.0.71:443",
            "10.0.11.211:443",
            "10.0.30.25:443",
            "10.0.13.13:443",
            "10.0.26.126:443",
            "10.0.26.126:443",
        ],
    });
}

#[test]
fn with_more_owners_than_places_some_have_none() {
    let ring = ring(many(100, |_| 1), 10, 10);
    let seated = (0..100).filter(|owner| !ring.places(*owner).is_empty()).count();
    assert_eq!((ring.len(), seated), (10, 10));
}

#[test]
fn sizes_out_of_any_range_are_brought_into_it() {
    for (min, max, len) in [(0, 0, 1), (5, 3, 3), (u32::MAX, 7, 7), (7, u32::MAX, 7)] {
        assert_eq!(ring(many(1, |_| 1), min, max).len(), len, "{min} to {max}");
    }
}

#[test]
fn weights_beyond_32_bits_together_do_not_overflow() {
    let ring = ring(many(3, |_| u64::from(u32::MAX)), 3, 12);
    assert_eq!(ring.len(), 3);
}

#[test]
fn an_empty_ring_has_no_owner() {
    let ring = Ring::default();
    assert_eq!((ring.owner(ring.place(1)), ring.places(0)), (None, &[][..]));
}
