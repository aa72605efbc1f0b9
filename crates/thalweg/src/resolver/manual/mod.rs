//! A resolver whose results the application sets: for tests, and for those who know their backends by other means.

#[cfg(test)]
mod tests;

use std::{future, sync::Arc};

use thalweg_core::target::{Target, TargetError};
use tokio::sync::{Notify, watch};

use super::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate};
use crate::rt::BoxFuture;

type Outcome = Result<ResolverUpdate, ResolveError>;

/// Resolves every target of its scheme to what was set last.
///
/// Clones share their state: register one with [`Registry::with_resolver`](crate::registry::Registry::with_resolver)
/// and keep another to push results. What was set before a channel exists is seen by it; a channel that is slow to
/// take results sees the last only.
#[derive(Clone, Debug)]
pub struct ManualResolver {
    scheme: Arc<str>,
    outcome: watch::Sender<Option<Outcome>>,
    asked: Arc<Notify>,
}

impl ManualResolver {
    /// A resolver of targets of this scheme, with nothing set: channels wait for the first result.
    #[must_use]
    pub fn new(scheme: &str) -> Self {
        Self {
            scheme: scheme.to_ascii_lowercase().into(),
            outcome: watch::Sender::new(None),
            asked: Arc::new(Notify::new()),
        }
    }

    /// Resolves to `update` from now on, in every channel.
    pub fn set(&self, update: ResolverUpdate) {
        self.outcome.send_replace(Some(Ok(update)));
    }

    /// Fails with `error` from now on. A channel that had a result keeps it.
    pub fn fail(&self, error: ResolveError) {
        self.outcome.send_replace(Some(Err(error)));
    }

    /// Waits until a channel asks for a new result, as it does when connections fail. Questions asked while nobody
    /// waited count as one.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }
}

impl ResolverFactory for ManualResolver {
    fn scheme(&self) -> &str {
        &self.scheme
    }

    fn build(&self, _: &Target, cx: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        let mut outcome = self.outcome.subscribe();
        outcome.mark_changed();
        Ok(Box::new(Manual { outcome, asked: Arc::clone(&self.asked), cx }))
    }
}

/// What one channel has seen of a [`ManualResolver`].
#[derive(Debug)]
struct Manual {
    outcome: watch::Receiver<Option<Outcome>>,
    asked: Arc<Notify>,
    cx: ResolverContext,
}

impl Resolver for Manual {
    fn next(&mut self) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            loop {
                tokio::select! {
                    biased;
                    changed = self.outcome.changed() => match changed {
                        Ok(()) => {
                            let outcome = self.outcome.borrow_and_update().clone();
                            if let Some(outcome) = outcome {
                                return outcome;
                            }
                        }
                        // Nobody is left who could set a result.
                        Err(_) => future::pending().await,
                    },
                    () = self.cx.asked() => self.asked.notify_one(),
                }
            }
        })
    }
}
