//! PUSH_PROMISE (RFC 9113 section 6.6): nobody may send it to us. Servers never take it, and our clients turn it off.

use super::Head;
use crate::error::{Code, Fault};

/// The answer to any such frame.
#[must_use]
pub fn refuse(head: &Head) -> Fault {
    head.offence(Code::PROTOCOL_ERROR, "servers take no pushes, and clients have turned them off")
}
