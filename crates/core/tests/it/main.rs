//! Policies told as stories, and random histories that no policy may fail.

#![allow(clippy::unwrap_used)] // All of this is tests.

mod conformance;
mod graceful_switch;
mod layers;
mod own_policy;
mod petiole;
mod pick_first;
mod priority;
mod round_robin;
mod speed;
mod weighted_target;
