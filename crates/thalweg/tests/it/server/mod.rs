//! The server, heard by a client of the h2 crate or a scripted one over in-memory streams, on paused time.

mod calls;
mod deadlines;
mod endings;
pub(crate) mod fixture;
mod flow;
mod leaving;
mod life;
mod limits;
mod listeners;
mod mounting;
mod pings;
