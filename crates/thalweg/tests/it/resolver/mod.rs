//! Names and the channel: what becomes of results that come, change, fail and heal.

mod changes;
mod config;
mod failures;
mod fixture;
