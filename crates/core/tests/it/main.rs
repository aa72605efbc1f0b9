//! Policies told as stories, and random histories that no policy may fail.

#![allow(clippy::unwrap_used)] // All of this is tests.

mod composition;
mod conformance;
mod graceful_switch;
mod layers;
mod least_request;
mod outlier_detection;
mod own_policy;
mod peak_ewma;
mod petiole;
mod pick_first;
mod priority;
mod random;
mod random_subsetting;
mod ring_hash;
mod round_robin;
mod speed;
mod spread;
mod weighted_target;
