//! The client channel: what a caller sees of a call, a connection and a configuration, on paused time and in memory.

mod answers;
mod broken_policies;
mod builder;
mod calls;
mod channel;
mod config;
mod deadlines;
mod endings;
mod extremes;
mod flow;
mod health;
mod limits;
mod metadata;
mod moments;
mod policies;
mod requests;
mod retry;
mod ring_hash;
