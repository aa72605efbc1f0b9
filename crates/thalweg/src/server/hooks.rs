//! What is run once, when a server begins to stop.

use std::{
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, MutexGuard, PoisonError},
};

type Hook = Box<dyn FnOnce() + Send>;

/// Hooks that have not run.
#[derive(Default)]
pub(super) struct Hooks(Mutex<Vec<Hook>>);

impl Hooks {
    pub(super) fn add(&self, hook: impl FnOnce() + Send + 'static) {
        self.waiting().push(Box::new(hook));
    }

    /// Runs them, in the order in which they were added. One that panics keeps nothing from stopping.
    pub(super) fn run(&self) {
        // The lock is not held meanwhile: a hook may stop the server, too.
        let hooks = mem::take(&mut *self.waiting());
        for hook in hooks {
            if catch_unwind(AssertUnwindSafe(hook)).is_err() {
                tracing::error!("a stop hook panicked");
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Hook>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hooks").field(&self.waiting().len()).finish()
    }
}
