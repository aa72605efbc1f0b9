//! What is logged, counted by the thread that logs it.

use std::{cell::Cell, sync::Once};

use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};

thread_local! {
    static ERRORS: Cell<usize> = const { Cell::new(0) };
}

/// Counts the errors that this thread logs.
pub(crate) struct Errors {
    before: usize,
}

impl Errors {
    /// One subscriber for all threads: with one of a thread's own, whichever thread first reaches a line that logs would
    /// settle for all of them that nobody listens.
    pub(crate) fn listen() -> Self {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| tracing::subscriber::set_global_default(Counting).unwrap());
        Self { before: ERRORS.get() }
    }

    pub(crate) fn count(&self) -> usize {
        ERRORS.get() - self.before
    }
}

struct Counting;

impl Subscriber for Counting {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::ERROR
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {
        ERRORS.set(ERRORS.get() + 1);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
