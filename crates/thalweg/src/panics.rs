//! Runs code that is not ours: a panic of it comes back as what it said.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

/// What a panic said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Panic(pub(crate) Arc<str>);

impl Panic {
    fn of(payload: &(dyn Any + Send)) -> Self {
        let words = payload.downcast_ref::<&str>().copied();
        let words = words.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self(words.unwrap_or("no message").into())
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Runs `call`. Whatever a panic leaves half done is the caller's to throw away.
pub(crate) fn caught<R>(call: impl FnOnce() -> R) -> Result<R, Panic> {
    catch_unwind(AssertUnwindSafe(call)).map_err(|payload| Panic::of(&*payload))
}
