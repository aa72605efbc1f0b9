//! The server, heard by a client of the h2 crate over in-memory streams, on paused time.

mod calls;
mod deadlines;
mod endings;
mod fixture;
mod flow;
mod life;
mod limits;
mod listeners;
mod mounting;
