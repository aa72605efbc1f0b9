//! Runs code that is not ours: a panic of it comes back as what it said. Dropping what is not ours runs such code, too.

use std::{
    any::Any,
    fmt,
    ops::{Deref, DerefMut},
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

/// Something of the application's (a picker, say). If it panics as it is dropped, the log hears of it, and nobody else.
#[derive(Clone, Debug)]
pub(crate) struct Contained<T>(Option<T>);

impl<T> Contained<T> {
    pub(crate) fn new(theirs: T) -> Self {
        Self(Some(theirs))
    }
}

impl<T> Deref for Contained<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_ref().expect("only its drop takes it out")
    }
}

impl<T> DerefMut for Contained<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.as_mut().expect("only its drop takes it out")
    }
}

impl<T> Drop for Contained<T> {
    fn drop(&mut self) {
        let theirs = self.0.take();
        if let Err(panic) = caught(|| drop(theirs)) {
            tracing::error!(%panic, "something of the application's panicked as it was dropped");
        }
    }
}
