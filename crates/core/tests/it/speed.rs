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
        round_robin::RoundRobin,
    },
};

const ENDPOINTS: u16 = 10_000;

/// A channel that only answers health watches and collects one picker per batch.
#[derive(Debug)]
struct Driver {
    policy: RoundRobin,
    mint: Mint,
    created: Vec<SubchannelId>,
    answers: Vec<Event>,
    picker: Option<Arc<dyn Picker>>,
}

impl Driver {
    fn batch(&mut self, now: Instant, call: impl FnOnce(&mut RoundRobin, &mut Cx<'_>)) {
        let mut out = vec![];
        let mut cx = Cx::new(now, &mut self.mint, &mut out);
        call(&mut self.policy, &mut cx);
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

    /// Ten thousand endpoints become READY, one by one, with a new picker each time. Says how long that took.
    #[allow(clippy::disallowed_methods)] // This measures real time.
    fn rise() -> (Self, Duration) {
        let address = |n: u16| Address::Tcp(([10, 0, (n >> 8) as u8, n as u8], 443).into());
        let endpoints = (0..ENDPOINTS).map(|n| Endpoint::new([address(n)])).collect();
        let (policy, mint) = (RoundRobin::default(), Mint::new(1));
        let mut driver = Self { policy, mint, created: vec![], answers: vec![], picker: None };
        let now = Instant::now();
        let update = Resolution { endpoints, config: None };
        driver.batch(now, |policy, cx| policy.on_resolution(cx, &update).unwrap());
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
    let (driver, took) = Driver::rise();
    assert_eq!(driver.created.len(), usize::from(ENDPOINTS));
    // Far more than it takes, far less than O(n²) would.
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[test]
#[ignore = "measures: run it alone, with --release and --nocapture"]
#[allow(clippy::disallowed_methods)] // This measures real time.
fn a_pick_among_ten_thousand_endpoints_takes_tens_of_nanoseconds() {
    let (driver, took) = Driver::rise();
    let (picker, now, picks) = (driver.picker.unwrap(), Instant::now(), 5_000_000_u32);
    for n in 0..picks {
        black_box(picker.pick(&PickArgs::new("/a.B/C", now, u64::from(n))));
    }
    println!("all READY in {took:?}, {:?} a pick", now.elapsed() / picks);
    assert!(now.elapsed() / picks < Duration::from_nanos(60));
}
