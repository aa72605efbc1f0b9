//! The static table (RFC 7541 appendix A).

use super::hash::hash;

/// Entries of the table. The dynamic table's indices follow.
pub(super) const LEN: usize = ENTRIES.len();

/// Names and values; the first has index 1. Entries of the same name follow each other.
pub(super) static ENTRIES: [(&str, &str); 61] = [
    (":authority", ""),
    (":method", "GET"),
    (":method", "POST"),
    (":path", "/"),
    (":path", "/index.html"),
    (":scheme", "http"),
    (":scheme", "https"),
    (":status", "200"),
    (":status", "204"),
    (":status", "206"),
    (":status", "304"),
    (":status", "400"),
    (":status", "404"),
    (":status", "500"),
    ("accept-charset", ""),
    ("accept-encoding", "gzip, deflate"),
    ("accept-language", ""),
    ("accept-ranges", ""),
    ("accept", ""),
    ("access-control-allow-origin", ""),
    ("age", ""),
    ("allow", ""),
    ("authorization", ""),
    ("cache-control", ""),
    ("content-disposition", ""),
    ("content-encoding", ""),
    ("content-language", ""),
    ("content-length", ""),
    ("content-location", ""),
    ("content-range", ""),
    ("content-type", ""),
    ("cookie", ""),
    ("date", ""),
    ("etag", ""),
    ("expect", ""),
    ("expires", ""),
    ("from", ""),
    ("host", ""),
    ("if-match", ""),
    ("if-modified-since", ""),
    ("if-none-match", ""),
    ("if-range", ""),
    ("if-unmodified-since", ""),
    ("last-modified", ""),
    ("link", ""),
    ("location", ""),
    ("max-forwards", ""),
    ("proxy-authenticate", ""),
    ("proxy-authorization", ""),
    ("range", ""),
    ("referer", ""),
    ("refresh", ""),
    ("retry-after", ""),
    ("server", ""),
    ("set-cookie", ""),
    ("strict-transport-security", ""),
    ("transfer-encoding", ""),
    ("user-agent", ""),
    ("vary", ""),
    ("via", ""),
    ("www-authenticate", ""),
];

/// Places by the high bits of a name's hash.
const SLOTS: usize = 256;
/// The index of the first entry of each name, at the place of its hash or after it; 0 is nothing.
static BY_NAME: [u8; SLOTS] = by_name();

const fn by_name() -> [u8; SLOTS] {
    let mut slots = [0; SLOTS];
    let mut at = 0;
    while at < LEN {
        let name = ENTRIES[at].0.as_bytes();
        if at == 0 || !same(name, ENTRIES[at - 1].0.as_bytes()) {
            let mut slot = place(hash(name, 0));
            while slots[slot] != 0 {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = at as u8 + 1;
        }
        at += 1;
    }
    slots
}

/// `==` of slices, which is not `const`.
const fn same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

const fn place(hash: u64) -> usize {
    (hash >> 56) as usize
}

/// The index of the first entry with a name, whose hash on 0 is `hash`.
pub(super) fn find_name(name: &[u8], hash: u64) -> Option<usize> {
    let mut slot = place(hash);
    loop {
        let index = usize::from(BY_NAME[slot]);
        let (candidate, _) = ENTRIES.get(index.wrapping_sub(1))?;
        if candidate.as_bytes() == name {
            return Some(index);
        }
        slot = (slot + 1) % SLOTS;
    }
}

/// The index of an entry with this value among those with the name of the entry at `first`.
pub(super) fn find_value(first: usize, value: &[u8]) -> Option<usize> {
    let name = ENTRIES[first - 1].0;
    let named = ENTRIES[first - 1..].iter().take_while(|(other, _)| *other == name);
    named.zip(first..).find(|((_, known), _)| known.as_bytes() == value).map(|(_, index)| index)
}
