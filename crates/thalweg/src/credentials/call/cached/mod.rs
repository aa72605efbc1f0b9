//! A token cached until shortly before it expires, with one refresh at a time and backoff between failures, as A97
//! has it for tokens in files.

#[cfg(test)]
mod tests;

use std::{
    fmt::{self, Debug},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use thalweg_core::{
    backoff::{Backoff, BackoffConfig},
    deadline,
    random::Random,
};
use tokio::sync::watch;
use tonic::{
    Status,
    metadata::{Ascii, MetadataMap, MetadataValue},
};

use super::{CallContext, CallCredentials};
use crate::rt::{self, BoxFuture};

/// How long before its end a token is no longer used, for clocks that differ and for the time that a call takes.
const MARGIN: Duration = Duration::from_secs(30);
/// How long before it is no longer used a token is renewed, while calls go on using it.
const RENEW_EARLY: Duration = Duration::from_secs(60);

/// What a token source yields.
#[derive(Clone)]
pub struct Token {
    value: MetadataValue<Ascii>,
    lifetime: Option<Duration>,
}

impl Token {
    /// The bearer token `secret`, sent as `authorization: Bearer secret`, which is good for `lifetime` from now, or for
    /// ever.
    ///
    /// # Errors
    ///
    /// UNAUTHENTICATED if the token has characters that a header cannot carry.
    pub fn bearer(secret: &str, lifetime: Option<Duration>) -> Result<Self, Status> {
        let mut value = MetadataValue::try_from(format!("Bearer {secret}"))
            .map_err(|_| Status::unauthenticated("the token has characters that a header cannot carry"))?;
        value.set_sensitive(true);
        Ok(Self { value, lifetime })
    }
}

impl Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

/// Where tokens come from.
pub trait TokenSource: Send + Sync + Debug + 'static {
    /// A new token.
    ///
    /// # Errors
    ///
    /// The status with which waiting calls fail: UNAVAILABLE if the token cannot be had now, UNAUTHENTICATED if it
    /// never will.
    fn fetch(&self) -> BoxFuture<'_, Result<Token, Status>>;
}

/// Call credentials that keep a token until 30 s before it expires, and renew it a minute earlier while calls go on
/// using the old one.
///
/// However many calls wait, the source is asked once at a time. After a failure it is not asked again before a backoff
/// (1 s, growing by 1.6 up to 120 s), during which calls without a token fail as the last attempt did. A source is
/// only ever asked because a call was made. Cheap to clone; clones share the token.
#[derive(Clone)]
pub struct CachedToken(Arc<Cache>);

impl CachedToken {
    /// Keeps the tokens of `source`.
    #[must_use]
    pub fn new(source: impl TokenSource) -> Self {
        let state = State {
            held: None,
            refresh: None,
            failed: None,
            backoff: Backoff::new(BackoffConfig::default()),
            random: Random::new(fastrand::u64(..)),
        };
        Self(Arc::new(Cache { source: Box::new(source), state: Mutex::new(state) }))
    }
}

impl CallCredentials for CachedToken {
    fn metadata<'a>(&'a self, _: CallContext<'a>) -> BoxFuture<'a, Result<MetadataMap, Status>> {
        Box::pin(async move {
            let value = match self.0.look_up(rt::now()) {
                Found::Token(value) => value,
                Found::Failed(status) => return Err(status),
                Found::Waiting(refresh) => wait(refresh).await?,
            };
            let mut metadata = MetadataMap::with_capacity(1);
            metadata.insert("authorization", value);
            Ok(metadata)
        })
    }
}

impl Debug for CachedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CachedToken").field(&self.0.source).finish()
    }
}

type Value = MetadataValue<Ascii>;
/// What a refresh came to, once it has.
type Outcome = Option<Result<Value, Status>>;

struct Cache {
    source: Box<dyn TokenSource>,
    state: Mutex<State>,
}

struct State {
    held: Option<Held>,
    refresh: Option<watch::Receiver<Outcome>>,
    failed: Option<Failed>,
    backoff: Backoff,
    random: Random,
}

/// The token in use.
struct Held {
    value: Value,
    /// When to renew it and when to use it no more; `None`: never.
    times: Option<(Instant, Instant)>,
}

/// The last attempt failed.
struct Failed {
    status: Status,
    /// When the source may be asked again.
    until: Instant,
}

/// What a call finds.
enum Found {
    Token(Value),
    Failed(Status),
    Waiting(watch::Receiver<Outcome>),
}

impl Cache {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is at `now`; starts a refresh if one is due.
    fn look_up(self: &Arc<Self>, now: Instant) -> Found {
        let mut state = self.state();
        let (usable, fresh) = state.held.as_ref().map_or((None, false), |held| held.at(now));
        let refresh = match (&state.refresh, &state.failed) {
            _ if fresh => None,
            (Some(refresh), _) => Some(refresh.clone()),
            (None, Some(failed)) if now < failed.until => None,
            (None, _) => Some(state.refresh.insert(self.start()).clone()),
        };
        match (usable, refresh, &state.failed) {
            (Some(value), _, _) => Found::Token(value),
            (None, Some(refresh), _) => Found::Waiting(refresh),
            (None, None, failed) => Found::Failed(failed.as_ref().map_or_else(ended, |failed| failed.status.clone())),
        }
    }

    /// Asks the source in a task of its own, so that a call which gives up takes nothing from the others.
    fn start(self: &Arc<Self>) -> watch::Receiver<Outcome> {
        let (sender, receiver) = watch::channel(None);
        let cache = Arc::clone(self);
        rt::spawn(async move {
            let guard = Refreshing(&cache);
            let outcome = cache.source.fetch().await;
            let outcome = guard.0.finish(outcome, rt::now());
            sender.send_replace(Some(outcome));
        })
        .detach();
        receiver
    }

    /// Takes what the source answered.
    fn finish(&self, outcome: Result<Token, Status>, now: Instant) -> Result<Value, Status> {
        let mut state = self.state();
        match outcome {
            Ok(token) => {
                state.held = Some(Held::new(&token, now));
                state.failed = None;
                state.backoff.reset();
                Ok(token.value)
            }
            Err(status) => {
                let State { backoff, random, .. } = &mut *state;
                let until = deadline::from_now(now, backoff.next(random));
                state.failed = Some(Failed { status: status.clone(), until });
                Err(status)
            }
        }
    }
}

/// Forgets the refresh when it is over, in whatever way.
struct Refreshing<'a>(&'a Cache);

impl Drop for Refreshing<'_> {
    fn drop(&mut self) {
        self.0.state().refresh = None;
    }
}

impl Held {
    fn new(token: &Token, now: Instant) -> Self {
        let times = token.lifetime.map(|lifetime| {
            let end = deadline::from_now(now, lifetime.saturating_sub(MARGIN));
            (end.checked_sub(RENEW_EARLY).map_or(now, |renew| renew.max(now)), end)
        });
        Self { value: token.value.clone(), times }
    }

    /// The token if it may be used at `now`, and whether it need not be renewed yet.
    fn at(&self, now: Instant) -> (Option<Value>, bool) {
        match self.times {
            None => (Some(self.value.clone()), true),
            Some((renew, end)) => ((now < end).then(|| self.value.clone()), now < renew),
        }
    }
}

/// Waits for what a refresh comes to.
async fn wait(mut refresh: watch::Receiver<Outcome>) -> Result<Value, Status> {
    match refresh.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(ended())),
        Err(_) => Err(ended()),
    }
}

/// The refresh ended without an answer: its task panicked or the runtime is going away.
fn ended() -> Status {
    Status::unavailable("the token source ended without an answer")
}
