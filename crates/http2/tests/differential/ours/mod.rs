//! Both ends of a session as our halves play them, over a byte stream.

mod app;
mod end;

use std::rc::Rc;

use thalweg_http2::config::Config;
use tokio::io::DuplexStream;

use self::end::End;
use crate::{
    heard::Heard,
    milestone::Milestones,
    session::{Session, Setup, Side},
};

/// Plays one side of a session. The answer is what it heard, and the bytes by which it did.
pub(crate) async fn play(
    io: DuplexStream,
    side: Side,
    session: Rc<Session>,
    milestones: Rc<Milestones>,
) -> (Heard, Vec<u8>) {
    let mut end = End::new(side, &session, &milestones);
    end.run(io).await;
    end.played()
}

fn config(setup: &Setup) -> Config {
    Config {
        stream_window: setup.stream_window,
        connection_window: setup.connection_window,
        max_frame_size: setup.max_frame_size,
        max_concurrent_streams: setup.max_concurrent,
        max_write_buffer: setup.max_write_buffer,
        adaptive_window: setup.adapts.then_some(1 << 22),
        max_header_list_size: 1 << 20,
        ..Config::default()
    }
}
