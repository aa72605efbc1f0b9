//! The pretend channel.

mod calls;
mod check;
mod execute;
mod network;

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use thalweg_core::{
    connectivity::Connectivity,
    endpoint::{Address, Endpoint},
    lb::{
        Cx, Event, Fixed, Health, LbPolicy, Mint, Pick, Picker, Rejected, Resolution, SubchannelId, SubchannelState,
        Timer, Token, Tracker, Wake, Watch,
    },
    status::Status,
};

pub use self::calls::Call;
use crate::{input::Input, place, story::Story};

/// How long a subchannel backs off after a failed attempt.
pub const BACKOFF: Duration = Duration::from_secs(1);

/// How many dead tokens are remembered, to be named once more in late events.
const GRAVES: usize = 16;

/// Who watches a subchannel for what.
#[derive(Debug)]
enum Watching {
    Calls(Tracker),
    /// With the last answer.
    Health(Option<Health>),
    Load(Duration),
}

#[derive(Debug)]
struct Subchannel {
    address: Address,
    endpoint: Endpoint,
    state: SubchannelState,
    watches: BTreeMap<Watch, Watching>,
}

type Attach = Box<dyn Fn(usize, Endpoint) -> Endpoint>;

type Invariant = (&'static str, Box<dyn Fn(&Sim) -> bool>);

/// A channel that only pretends: one policy at its root, virtual time and virtual subchannels.
///
/// Tell it what the resolver, the network and the callers do; it carries out what the policy commands, and after every
/// batch of events it checks that the policy keeps the contract:
///
/// * commands name live tokens, and an attempt starts only while a subchannel is IDLE;
/// * picks name READY subchannels whose health, if anybody watches it, is `Serving`; they fail only in
///   TRANSIENT_FAILURE and queue only outside READY; the wakes they hand out are live;
/// * a policy does not keep the channel busy, in one batch or over ten quiet minutes ([`quiet`](Self::quiet));
/// * after its shutdown it holds no token ([`finish`](Self::finish)).
///
/// A breach panics with the whole story. Failed attempts back off for [`BACKOFF`].
pub struct Sim {
    policy: Box<dyn LbPolicy>,
    mint: Mint,
    began: Instant,
    now: Instant,
    subchannels: BTreeMap<SubchannelId, Subchannel>,
    timers: BTreeMap<Timer, Instant>,
    wakes: BTreeSet<Wake>,
    graves: VecDeque<Token>,
    sick: BTreeMap<Address, Arc<str>>,
    /// Health watches that wait for an answer.
    unanswered: VecDeque<Watch>,
    state: Connectivity,
    picker: Arc<dyn Picker>,
    /// The report of the batch so far.
    reported: Option<Connectivity>,
    /// How many commands the batch has caused so far.
    commands: usize,
    /// The most that a resolution has brought.
    endpoints: usize,
    resolutions_wanted: usize,
    fired: usize,
    /// Seeds the next pick.
    picks: Cell<u64>,
    lazy: bool,
    uses_what_is_ready: bool,
    attach: Option<Attach>,
    invariants: Vec<Invariant>,
    story: Story,
}

impl Sim {
    /// A channel with this policy at its root, and no endpoints yet.
    #[must_use]
    pub fn new(policy: impl LbPolicy + 'static) -> Self {
        Self::seeded(0, policy)
    }

    /// The same with another random sequence: a run is a function of its seed and of what it is told.
    #[must_use]
    pub fn seeded(seed: u64, policy: impl LbPolicy + 'static) -> Self {
        let began = Instant::now();
        Self {
            policy: Box::new(policy),
            mint: Mint::new(seed),
            began,
            now: began,
            subchannels: BTreeMap::new(),
            timers: BTreeMap::new(),
            wakes: BTreeSet::new(),
            graves: VecDeque::new(),
            sick: BTreeMap::new(),
            unanswered: VecDeque::new(),
            state: Connectivity::Connecting,
            picker: Arc::new(Fixed::new(Pick::Queue)),
            reported: None,
            commands: 0,
            endpoints: 0,
            resolutions_wanted: 0,
            fired: 0,
            picks: Cell::new(seed),
            lazy: false,
            uses_what_is_ready: false,
            attach: None,
            invariants: vec![],
            story: Story::default(),
        }
    }

    /// Allows the policy to queue some picks while it is READY, as one does that connects on demand.
    #[must_use]
    pub fn lazy(mut self) -> Self {
        self.lazy = true;
        self
    }

    /// Demands that the policy is READY whenever a subchannel is, unless its health is watched and not `Serving`.
    #[must_use]
    pub fn uses_what_is_ready(mut self) -> Self {
        self.uses_what_is_ready = true;
        self
    }

    /// Has every endpoint of [`resolve`](Self::resolve) and [`resolve_to`](Self::resolve_to) pass through `attach`, with
    /// its place in the list.
    #[must_use]
    pub fn attaching(mut self, attach: impl Fn(usize, Endpoint) -> Endpoint + 'static) -> Self {
        self.attach = Some(Box::new(attach));
        self
    }

    /// Demands that `holds` after every batch. `name` says what is demanded.
    #[must_use]
    pub fn invariant(mut self, name: &'static str, holds: impl Fn(&Self) -> bool + 'static) -> Self {
        self.invariants.push((name, Box::new(holds)));
        self
    }

    /// The resolver finds these endpoints, each a list of addresses by [name](place::address). The configuration stays.
    ///
    /// # Errors
    ///
    /// What the policy says of it.
    pub fn resolve(&mut self, endpoints: &[&[&str]]) -> Result<(), Rejected> {
        let endpoints = endpoints.iter().map(|names| place::endpoint(names)).collect();
        self.resolve_to(Resolution { endpoints, config: None })
    }

    /// The resolver finds this.
    ///
    /// # Errors
    ///
    /// What the policy says of it.
    pub fn resolve_to(&mut self, mut update: Resolution) -> Result<(), Rejected> {
        if let Some(attach) = &self.attach {
            let endpoints = update.endpoints.iter().cloned().enumerate();
            update.endpoints = endpoints.map(|(place, endpoint)| attach(place, endpoint)).collect();
        }
        let verdict = self.feed(&Input::Resolution(update));
        self.publish();
        self.settle();
        verdict
    }

    /// The resolver fails.
    pub fn resolver_fails(&mut self, error: Status) {
        self.batch([Input::ResolverError(error)]);
        self.settle();
    }

    /// Somebody wants a connection.
    pub fn exit_idle(&mut self) {
        self.batch([Input::ExitIdle]);
        self.settle();
    }

    /// Tells the policy several things before its picker is asked for, as a channel does when they come together.
    /// Answers that the policy waits for are not given: see [`settle`](Self::settle).
    pub fn batch(&mut self, inputs: impl IntoIterator<Item = Input>) {
        for input in inputs {
            // Whoever wants to know the verdict on a resolution uses `resolve_to`.
            let _ = self.feed(&input);
        }
        self.publish();
    }

    /// Answers the health watches that wait for an answer.
    pub fn settle(&mut self) {
        for round in 0.. {
            self.demand(round < 1_000, || "the policy is busy: its health watches never end".into());
            let Some(watch) = self.unanswered.pop_front() else { return };
            self.answer(watch);
        }
    }

    /// Lets time pass: backoffs end and timers fire, in their order.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some((at, event)) = self.next_event().filter(|(at, _)| *at <= end) {
            self.now = self.now.max(at);
            self.fired += 1;
            match &event {
                Event::Timer(timer) => self.bury_timer(*timer),
                Event::Subchannel(id, state) => self.set_state(*id, state.clone()),
                Event::Health(..) | Event::Load(..) | Event::Wake(_) => {}
            }
            self.batch([Input::Event(event)]);
            self.settle();
        }
        self.now = end;
    }

    /// Ten minutes in which nothing happens from outside must stay quiet.
    pub fn quiet(&mut self) {
        self.fired = 0;
        self.advance(Duration::from_secs(600));
        let (fired, bound) = (self.fired, 80 + 2 * self.subchannels.len());
        self.demand(fired <= bound, || format!("the policy is busy: {fired} timers in ten quiet minutes"));
    }

    /// Shuts the policy down; it must give every token back.
    pub fn finish(mut self) {
        self.with_cx(|policy, cx| policy.shutdown(cx));
        let leaks =
            [("subchannels", self.subchannels.len()), ("timers", self.timers.len()), ("wakes", self.wakes.len())];
        for (what, count) in leaks {
            self.demand(count == 0, || format!("the policy kept {count} {what} past its shutdown"));
        }
    }

    /// What the policy last reported; CONNECTING before it has.
    #[must_use]
    pub fn state(&self) -> Connectivity {
        self.state
    }

    /// The virtual time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How often the policy asked for another resolution.
    #[must_use]
    pub fn resolutions_wanted(&self) -> usize {
        self.resolutions_wanted
    }

    /// The subchannels that exist.
    pub fn subchannels(&self) -> impl Iterator<Item = (SubchannelId, &Address, &SubchannelState)> {
        self.subchannels.iter().map(|(id, subchannel)| (*id, &subchannel.address, &subchannel.state))
    }

    /// The address of a subchannel that exists.
    #[must_use]
    pub fn address(&self, id: SubchannelId) -> Option<&Address> {
        self.subchannels.get(&id).map(|subchannel| &subchannel.address)
    }

    /// The endpoint that a subchannel was made for, with what the resolver and the policies have attached.
    #[must_use]
    pub fn endpoint(&self, id: SubchannelId) -> Option<&Endpoint> {
        self.subchannels.get(&id).map(|subchannel| &subchannel.endpoint)
    }

    /// The attempts and the changes of state so far, each with its time in milliseconds: `"250 connect b"`,
    /// `"300 READY"`.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.story.outline()
    }

    /// Everything so far, a line each.
    #[must_use]
    pub fn story(&self) -> String {
        self.story.to_string()
    }

    fn elapsed(&self) -> Duration {
        self.now - self.began
    }

    /// The next timer or the next end of a backoff.
    fn next_event(&self) -> Option<(Instant, Event)> {
        let timers = self.timers.iter().map(|(timer, at)| (*at, Event::Timer(*timer)));
        let backoffs = self.subchannels.iter().filter_map(|(id, subchannel)| match subchannel.state {
            SubchannelState::TransientFailure { retry_at, .. } => {
                Some((retry_at, Event::Subchannel(*id, SubchannelState::Idle)))
            }
            _ => None,
        });
        timers.chain(backoffs).min_by_key(|(at, _)| *at)
    }

    /// One call of the policy, with what it commands carried out.
    fn feed(&mut self, input: &Input) -> Result<(), Rejected> {
        self.story.told(self.elapsed(), input);
        if let Input::Resolution(update) = input {
            self.endpoints = self.endpoints.max(update.endpoints.len());
        }
        self.with_cx(|policy, cx| {
            match input {
                Input::Event(event) => policy.on_event(cx, event),
                Input::Resolution(update) => return policy.on_resolution(cx, update),
                Input::ResolverError(error) => policy.on_resolver_error(cx, error),
                Input::ExitIdle => policy.exit_idle(cx),
            }
            Ok(())
        })
    }

    /// Ends a batch: asks for a picker if the policy reported, and checks what it does.
    fn publish(&mut self) {
        let (commands, bound) =
            (std::mem::take(&mut self.commands), 200 + 40 * self.subchannels.len().max(self.endpoints));
        self.demand(commands <= bound, || format!("the policy is busy: {commands} commands in one batch"));
        if let Some(state) = self.reported.take() {
            self.state = state;
            self.story.state(self.elapsed(), state);
            self.picker = self.with_cx(|policy, cx| policy.picker(cx));
            let again = self.reported.is_some();
            self.demand(!again, || "the policy reported while it was asked for its picker".into());
        }
        self.check();
    }

    fn with_cx<R>(&mut self, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>) -> R) -> R {
        let mut out = vec![];
        let mut cx = Cx::new(self.now, &mut self.mint, &mut out);
        let result = call(&mut *self.policy, &mut cx);
        self.reported = cx.reported().or(self.reported);
        self.commands += out.len();
        for command in out {
            self.story.commanded(self.elapsed(), &command);
            self.execute(command);
        }
        result
    }

    /// Tells the story and panics unless `holds`.
    #[track_caller]
    fn demand(&self, holds: bool, breach: impl FnOnce() -> String) {
        assert!(holds, "{}\n\nthe story so far:\n{}", breach(), self.story);
    }
}

impl fmt::Debug for Sim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sim").field("state", &self.state).field("policy", &self.policy).finish_non_exhaustive()
    }
}
