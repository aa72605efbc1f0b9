//! What a handler may know of the call it serves, and say beside its answer.
