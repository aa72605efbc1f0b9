//! Tests a load-balancing policy without a network, a clock or a runtime.
//!
//! [`Sim`] pretends to be the channel: it carries out what a policy commands, on virtual time and virtual subchannels,
//! and asserts the contract of [`thalweg_core::lb`] as it goes. When the contract is broken it panics with the whole
//! story. [`conformance`] tells a policy thousands of random stories, and shrinks the one that breaks it.
//!
//! ```
//! use std::time::Duration;
//! use thalweg_core::{connectivity::Connectivity, lb::pick_first::PickFirst};
//! use thalweg_sim::Sim;
//!
//! let mut sim = Sim::new(PickFirst::default());
//! sim.resolve(&[&["a", "b"]]).unwrap();
//! sim.advance(Duration::from_millis(300)); // "a" does not answer: after 250 ms "b" joins the race.
//! sim.accept("b");
//! assert_eq!(sim.state(), Connectivity::Ready);
//! assert_eq!(sim.served_by().as_deref(), Some("b"));
//! assert_eq!(sim.log(), ["0 connect a", "0 CONNECTING", "250 connect b", "300 READY"]);
//! sim.finish();
//! ```

pub mod conformance;

pub mod probe;
pub mod sim;

mod story;

pub mod input;
pub mod place;

pub use crate::{probe::Probe, sim::Sim};
