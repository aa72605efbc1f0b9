//! What control and picks cost with ten thousand endpoints.

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use thalweg_core::{
    endpoint::{Address, Endpoint},
    lb::{
        Command, Cx, Event, Health, LbPolicy, Mint, PickArgs, Picker, Resolution, SubchannelId, SubchannelState,
        least_request::LeastRequest, peak_ewma::PeakEwma, random::Random, round_robin::RoundRobin,
    },
};

const ENDPOINTS: u16 = 10_000;

/// A channel that only answers health watches and collects one picker per batch.
#[derive(Debug)]
struct Driver {
    policy: Box<dyn LbPolicy>,
    mint: Mint,
    created: Vec<SubchannelId>,
    answers: Vec<Event>,
    picker: Option<Arc<dyn Picker>>,
}

impl Driver {
    fn batch(&mut self, now: Instant, call: impl FnOnce(&mut dyn LbPolicy, &mut Cx<'_>)) {
        let mut out = vec![];
        let mut cx = Cx::new(now, &mut self.mint, &mut out);
        call(&mut *self.policy, &mut cx);
        if cx.reported().is_some() {
            self.picker = Some(self.policy.picker(&mut cx));
        }
        for command in out {
            match command {
                Command::Create { id, .. } => self.created.push(id),
                Command::WatchHealth(watch) => self.answers.push(Event::Health(watch, Health::Serving)),
                _ => {}
            }
        }
    }

    /// The resolver finds ten thousand endpoints, all but the first few of them the same ones each time. Says how long
    /// the policy took for it.
    #[allow(clippy::disallowed_methods)] // This measures real time.
    fn resolve(&mut self, others: u16) -> Duration {
        let address = |n: u16| Address::Tcp(([10, 0, (n >> 8) as u8, n as u8], 443).into());
        let endpoints = (others..ENDPOINTS + others).map(|n| Endpoint::new([address(n)])).collect();
        let update = Resolution { endpoints, config: None };
        let now = Instant::now();
        self.batch(now, |policy, cx| policy.on_resolution(cx, &update).unwrap());
        now.elapsed()
    }

    /// Ten thousand endpoints become READY, one by one, with a new picker each time. Says how long that took.
    #[allow(clippy::disallowed_methods)] // This measures real time.
    fn rise(policy: impl LbPolicy + 'static) -> (Self, Duration) {
        let mint = Mint::new(1);
        let mut driver = Self { policy: Box::new(policy), mint, created: vec![], answers: vec![], picker: None };
        driver.resolve(0);
        let now = Instant::now();
        for id in driver.created.clone() {
            driver.batch(now, |policy, cx| policy.on_event(cx, &Event::Subchannel(id, SubchannelState::Ready)));
            for answer in std::mem::take(&mut driver.answers) {
                driver.batch(now, |policy, cx| policy.on_event(cx, &answer));
            }
        }
        (driver, now.elapsed())
    }
}

#[test]
fn ten_thousand_endpoints_become_ready_without_quadratic_cost() {
    let (driver, took) = Driver::rise(RoundRobin::default());
    assert_eq!(driver.created.len(), usize::from(ENDPOINTS));
    // Far more than it takes, far less than O(n²) would.
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[allow(clippy::disallowed_methods)] // This measures real time.
fn measure(name: &str, bound: Duration, policy: impl LbPolicy + 'static) {
    let (mut driver, rise) = Driver::rise(policy);
    let update = (1..=5).map(|n| driver.resolve(10 * n)).max().unwrap();
    let (picker, now, picks) = (driver.picker.unwrap(), Instant::now(), 5_000_000_u32);
    for n in 0..picks {
        black_box(picker.pick(&PickArgs::new("/a.B/C", now, u64::from(n))));
    }
    let pick = now.elapsed() / picks;
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
