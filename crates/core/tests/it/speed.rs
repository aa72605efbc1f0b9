//! What control and picks cost with ten thousand endpoints.

use std::{
    hint::black_box,
    mem,
    sync::Arc,
    time::{Duration, Instant},
};

use thalweg_core::{
    endpoint::{Address, Endpoint},
    lb::{
        AnyConfig, Command, Cx, Event, Health, LbPolicy, Mint, Pick, PickArgs, Picker, Resolution, SubchannelId,
        SubchannelState, Wake,
        least_request::LeastRequest,
        peak_ewma::PeakEwma,
        random::Random,
        ring_hash::{self, RingHash},
        round_robin::RoundRobin,
    },
    metadata::Metadata,
    random::mix,
};

const ENDPOINTS: usize = 10_000;

/// A channel that only answers health watches and collects one picker per batch.
#[derive(Debug)]
struct Driver {
    policy: Box<dyn LbPolicy>,
    mint: Mint,
    created: Vec<SubchannelId>,
    offered: Vec<Wake>,
    answers: Vec<Event>,
    picker: Option<Arc<dyn Picker>>,
}

/// Ten thousand endpoints, all but the first few of them the same ones each time.
fn endpoints(others: usize) -> Vec<Endpoint> {
    let address = |n: usize| Address::Tcp(([10, 0, (n >> 8) as u8, n as u8], 443).into());
    (others..ENDPOINTS + others).map(|n| Endpoint::new([address(n)])).collect()
}

impl Driver {
    fn new(policy: impl LbPolicy + 'static) -> Self {
        let (policy, mint) = (Box::new(policy), Mint::new(1));
        Self { policy, mint, created: vec![], offered: vec![], answers: vec![], picker: None }
    }

    fn batch(&mut self, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) {
        let mut out = vec![];
        let mut cx = Cx::new(now(), &mut self.mint, &mut out);
        call(&mut *self.policy, &mut cx);
        if cx.reported().is_some() {
            self.picker = Some(self.policy.picker(&mut cx));
        }
        for command in out {
            match command {
                Command::Create { id, .. } => self.created.push(id),
                Command::Offer(wake) => self.offered.push(wake),
                Command::WatchHealth(watch) => self.answers.push(Event::Health(watch, Health::Serving)),
                _ => {}
            }
        }
    }

    /// The resolver finds this. Says how long the policy took for it.
    fn resolve(&mut self, endpoints: &[Endpoint], config: Option<Arc<dyn AnyConfig>>) -> Duration {
        let update = Resolution { endpoints: endpoints.into(), config };
        let began = now();
        self.batch(|policy, cx| policy.on_resolution(cx, &update).unwrap());
        began.elapsed()
    }

    fn tell(&mut self, event: &Event) {
        self.batch(|policy, cx| policy.on_event(cx, event));
    }

    /// Every endpoint wakes, if it sleeps, and becomes READY, one by one, with a new picker each time. Says how long that
    /// took.
    fn rise(&mut self) -> Duration {
        let began = now();
        for wake in mem::take(&mut self.offered) {
            self.tell(&Event::Wake(wake));
        }
        for id in mem::take(&mut self.created) {
            self.tell(&Event::Subchannel(id, SubchannelState::Ready));
            for answer in mem::take(&mut self.answers) {
                self.tell(&answer);
            }
        }
        began.elapsed()
    }

    /// How long a pick takes, in the best of many rounds.
    fn pick<'a>(&self, prepare: impl Fn(&mut PickArgs<'a>, u64)) -> Duration {
        let (picker, picks) = (self.picker.as_ref().unwrap(), 1_000);
        let round = |round: u64| {
            let began = now();
            for n in round * picks..(round + 1) * picks {
                let mut args = PickArgs::new("/a.B/C", began, n);
                prepare(&mut args, n);
                black_box(picker.pick(&args));
            }
            began.elapsed() / picks as u32
        };
        (0..2_000).map(round).min().unwrap()
    }
}

#[allow(clippy::disallowed_methods)] // This measures real time.
fn now() -> Instant {
    Instant::now()
}

/// Not connected yet.
fn resolved(policy: impl LbPolicy + 'static) -> Driver {
    let mut driver = Driver::new(policy);
    driver.resolve(&endpoints(0), None);
    driver
}

/// Calls bear their hash in the header `user`; every endpoint has one or two places on the ring.
fn ring_hash() -> Driver {
    let (min_ring_size, max_ring_size) = (16_384, 65_536);
    let config = ring_hash::Config { min_ring_size, max_ring_size, request_hash_header: Some("user".into()) };
    let mut driver = Driver::new(RingHash::default());
    driver.resolve(&endpoints(0), Some(Arc::new(config)));
    driver
}

#[test]
fn ten_thousand_endpoints_become_ready_without_quadratic_cost() {
    for mut driver in [resolved(RoundRobin::default()), ring_hash()] {
        let took = driver.rise();
        // Far more than it takes, far less than O(n²) would.
        assert!(took < Duration::from_secs(5), "{took:?}");
        assert!(matches!(driver.picker.unwrap().pick(&PickArgs::new("/a.B/C", now(), 7)), Pick::Use(_)));
    }
}

fn measure(name: &str, bound: Duration, policy: impl LbPolicy + 'static) {
    let mut driver = resolved(policy);
    let rise = driver.rise();
    let update = (1..=5).map(|n| driver.resolve(&endpoints(10 * n), None)).max().unwrap();
    let pick = driver.pick(|_, _| {});
    println!("{name}: all READY in {rise:?}, 10 of 10,000 changed in at most {update:?}, {pick:?} a pick");
    assert!(pick < bound, "{name}: {pick:?}");
}

#[test]
#[ignore = "measures: run it alone, with --release and --nocapture"]
fn a_pick_among_ten_thousand_endpoints_takes_tens_of_nanoseconds() {
    let bound = Duration::from_nanos(60);
    measure("round_robin", bound, RoundRobin::default());
    measure("random", bound, Random::default());
    measure("least_request", bound, LeastRequest::default());
    measure("peak_ewma", bound * 2, PeakEwma::default());
}

/// The header `user`, which is this number.
struct User([u8; 20]);

impl Metadata for User {
    fn each_value(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        if key == "user" {
            each(&self.0);
        }
    }
}

/// `ready` endpoints are READY, the next `failed` ones have failed, and all others are idle, or connect.
fn ring_hash_with(ready: usize, failed: usize) -> Driver {
    let mut driver = ring_hash();
    let wakes: Vec<_> = driver.offered.drain(..ready + failed).collect();
    wakes.into_iter().for_each(|wake| driver.tell(&Event::Wake(wake)));
    let created = mem::take(&mut driver.created);
    let refused = SubchannelState::TransientFailure { reason: "connection refused".into(), retry_at: now() };
    for (place, id) in created.into_iter().enumerate().take(ready + failed) {
        let state = if place < ready { SubchannelState::Ready } else { refused.clone() };
        driver.tell(&Event::Subchannel(id, state));
        for answer in mem::take(&mut driver.answers) {
            driver.tell(&answer);
        }
    }
    driver
}

#[test]
#[ignore = "measures: run it alone, with --release and --nocapture"]
fn ring_hash_finds_its_endpoint_at_once_in_whatever_state_they_are() {
    let users: Vec<User> = (0..4_096).map(|n| User(format!("{n:020}").into_bytes().try_into().unwrap())).collect();
    for (ready, failed) in [(ENDPOINTS, 0), (0, 0), (1, 0), (1, ENDPOINTS - 1), (0, ENDPOINTS)] {
        let driver = ring_hash_with(ready, failed);
        let by_hash = driver.pick(|args, n| args.hash = Some(mix(n)));
        let by_header = driver.pick(|args, n| args.metadata = &users[n as usize % users.len()]);
        let at_random = driver.pick(|_, _| {});
        println!(
            "{ready} READY, {failed} failed: {by_hash:?} by hash, {by_header:?} by header, {at_random:?} at random"
        );
        assert!([by_hash, by_header, at_random].iter().all(|pick| *pick < Duration::from_nanos(250)));
    }
}

#[test]
#[ignore = "measures: run it alone, with --release and --nocapture"]
fn an_update_of_ring_hash_with_ten_of_ten_thousand_endpoints_changed_takes_milliseconds() {
    let mut driver = ring_hash();
    let rise = driver.rise();
    let (these, those) = (endpoints(0), endpoints(10));
    driver.resolve(&these, None);
    let same = (0..20).map(|_| driver.resolve(&these, None)).min().unwrap();
    let ten = (0..20).map(|_| driver.resolve(&those, None).min(driver.resolve(&these, None))).min().unwrap();
    println!("all READY in {rise:?}; an update in which nothing changed: {same:?}; ten endpoints: {ten:?}");
    assert!(ten < Duration::from_millis(20));
}
