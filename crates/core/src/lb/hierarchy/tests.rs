//! How endpoints find their way down a tree of policies.

use super::{Path, split};
use crate::endpoint::{Address, Endpoint};

fn endpoint(name: &str) -> Endpoint {
    Endpoint::new([Address::Opaque(name.into())])
}

/// Each child with its endpoints, and the rest of their paths: `"p0: a/wt0 b"`.
fn told(endpoints: &[Endpoint]) -> Vec<String> {
    let one = |endpoint: &Endpoint| {
        let rest = endpoint.attributes().get::<Path>().unwrap().names().iter().map(|name| format!("/{name}"));
        format!(" {}{}", endpoint.addresses()[0], rest.collect::<String>())
    };
    split(endpoints).iter().map(|(name, own)| format!("{name}:{}", own.iter().map(one).collect::<String>())).collect()
}

#[test]
fn endpoints_go_by_the_first_name_of_their_path_and_keep_the_rest() {
    let tree = [("a", ["p0", "wt0"]), ("b", ["p0", "wt1"]), ("c", ["p1", "wt2"]), ("d", ["p1", "wt3"])];
    let endpoints: Vec<_> = tree.iter().map(|(name, path)| endpoint(name).with(Path::new(*path))).collect();
    assert_eq!(told(&endpoints), ["p0: a/wt0 b/wt1", "p1: c/wt2 d/wt3"]);
    assert_eq!(told(&split(&endpoints)["p1"]), ["wt2: c", "wt3: d"]);
}

#[test]
fn endpoints_without_a_path_or_at_its_end_go_nowhere() {
    let endpoints = [endpoint("a"), endpoint("b").with(Path::default()), endpoint("c").with(Path::new(["p"]))];
    assert_eq!(told(&endpoints), ["p: c"]);
    assert!(split(&split(&endpoints)["p"]).is_empty());
}

#[test]
fn paths_are_equal_if_what_lies_ahead_is() {
    let endpoints = [endpoint("a").with(Path::new(["p", "q"]))];
    let rest = split(&endpoints)["p"][0].attributes().get::<Path>().cloned();
    assert_eq!(rest, Some(Path::new(["q"])));
    assert_ne!(rest, Some(Path::new(["p", "q"])));
}
