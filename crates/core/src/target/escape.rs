//! Percent-escapes (RFC 3986).

use super::error::TargetError;

/// What may stand in an authority besides letters and digits.
const AUTHORITY: &[u8] = b"-._~!$&'()*+,;=:[]@";

/// What may stand in a path besides letters and digits. `?` and `#` are the path's own: a target has no query.
const PATH: &[u8] = b"-._~!$&'()*+,;=:[]@/?#";

/// `text` with everything that an authority may not hold escaped.
pub(super) fn authority(text: &str) -> String {
    encode(text, AUTHORITY)
}

/// `text` with everything that a path may not hold escaped.
pub(super) fn path(text: &str) -> String {
    encode(text, PATH)
}

/// The name that a path writes.
pub(super) fn decode(path: &str) -> Result<String, TargetError> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut pieces = path.split('%');
    bytes.extend(pieces.next().unwrap_or_default().bytes());
    for piece in pieces {
        let (byte, rest) = escaped(piece).ok_or_else(|| TargetError::Escape {
            path: path.into(),
            escape: format!("%{}", piece.chars().take(2).collect::<String>()),
        })?;
        bytes.push(byte);
        bytes.extend(rest.bytes());
    }
    let name = String::from_utf8(bytes).ok().filter(|name| !name.contains('\0'));
    name.ok_or_else(|| TargetError::Bytes { path: path.into() })
}

/// The byte that the two digits in front write, and what follows them.
fn escaped(piece: &str) -> Option<(u8, &str)> {
    let digits = piece.get(..2).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    Some((u8::from_str_radix(digits, 16).ok()?, &piece[2..]))
}

fn encode(text: &str, allowed: &[u8]) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || allowed.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}
