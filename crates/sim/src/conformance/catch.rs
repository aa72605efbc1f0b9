//! Turns a panic into a message without printing it.

use std::{
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What a panic said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Breach(pub(super) String);

/// Runs `f`; a panic comes back as its message. Other threads' panics are printed as ever.
pub(super) fn quietly<R>(f: impl FnOnce() -> R) -> Result<R, Breach> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let print = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                print(info);
            }
        }));
    });
    QUIET.set(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    QUIET.set(false);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
        Breach(text.unwrap_or_else(|| "a panic without a message".to_owned()))
    })
}
