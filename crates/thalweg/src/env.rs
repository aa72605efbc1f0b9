//! Every environment variable that thalweg reads, in one place.

/// The value of the first of these variables that is set and not empty.
pub(crate) fn first_of(names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}

/// The HTTP CONNECT proxy for gRPC's connections (A1): `HTTPS_PROXY`, in either case of letters.
pub(crate) fn https_proxy() -> Option<String> {
    first_of(&["https_proxy", "HTTPS_PROXY"])
}

/// The hosts that are reached without a proxy (A1): `NO_PROXY`, a comma-separated list, in either case of letters.
pub(crate) fn no_proxy() -> Option<String> {
    first_of(&["no_proxy", "NO_PROXY"])
}
