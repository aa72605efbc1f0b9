//! Checks any policy against the contract with random histories, and shrinks the one that breaks it.
//!
//! ```
//! use thalweg_core::lb::round_robin::RoundRobin;
//! use thalweg_sim::{Sim, conformance::Histories};
//!
//! let tally = Histories::new(50).check(|seed| Sim::seeded(seed, RoundRobin::default()).uses_what_is_ready());
//! assert!(tally.calls > 500);
//! ```

mod catch;
mod history;
mod shrink;

use std::{ops::AddAssign, sync::Arc};

use thalweg_core::{
    lb::AnyConfig,
    random::{Random, mix},
};

pub use self::history::Step;
use self::{
    catch::{Breach, quietly},
    history::Teller,
};
use crate::sim::Sim;

/// How eventful the histories were: a check that nothing happened in is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Calls that were started on a subchannel.
    pub calls: usize,
    /// Steps after which the policy was READY.
    pub ready: usize,
    /// Steps after which the policy was in TRANSIENT_FAILURE.
    pub failed: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.ready += other.ready;
        self.failed += other.failed;
    }
}

/// Random histories, each a function of its seed.
///
/// In a history the resolver finds and loses endpoints that share and swap addresses, attempts succeed and fail,
/// connections end, backends fall sick, calls wake policies, late events arrive, batches coalesce. At its end the
/// policy must stay quiet for ten minutes, become READY once the network is well, and give back every token.
#[derive(Clone, Debug)]
pub struct Histories {
    count: u64,
    steps: usize,
    seed: u64,
    configs: Vec<Arc<dyn AnyConfig>>,
}

impl Histories {
    /// This many histories of 40 steps.
    #[must_use]
    pub fn new(count: u64) -> Self {
        Self { count, steps: 40, seed: 0, configs: vec![] }
    }

    /// Each of this many steps.
    #[must_use]
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Other histories.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Configurations that resolutions bring; the first one comes with the first resolution.
    #[must_use]
    pub fn configs(mut self, configs: impl IntoIterator<Item = Arc<dyn AnyConfig>>) -> Self {
        self.configs = configs.into_iter().collect();
        self
    }

    /// Tells all histories, each to the policy of the simulation that `make` makes from a seed.
    ///
    /// # Panics
    ///
    /// A history breaks the contract: the message has the shortest form of it that was found, and its story.
    pub fn check(&self, make: impl Fn(u64) -> Sim) -> Tally {
        let mut tally = Tally::default();
        for number in 0..self.count {
            let seed = mix(self.seed ^ mix(number));
            let mut random = Random::new(seed);
            let steps = Step::history(&mut random, self.steps, self.configs.len());
            let tell = |steps: &[Step]| quietly(|| Teller::new(make(seed), &self.configs, seed).tell(steps));
            match tell(&steps) {
                Ok(told) => tally += told,
                Err(breach) => {
                    let (steps, Breach(breach)) = shrink::shortest(steps, breach, |steps| tell(steps).err());
                    panic!("history {number} breaks the contract in {} steps: {steps:?}\n\n{breach}", steps.len());
                }
            }
        }
        tally
    }
}
