//! One end of a connection at a peer that says anything at all, while callers do what they do.

mod app;
mod end;
mod script;
mod wire;

use thalweg_http2::config::Role;

use self::{end::End, script::Script};

pub(super) fn run(role: Role, input: &[u8]) {
    let script = Script::parse(role, input);
    let mut end = End::new(role, script.config);
    let mut rest = &script.bytes[..];
    for operation in script.operations {
        end.perform(*operation, &mut rest);
    }
    end.hear(rest);
    end.finish();
}
