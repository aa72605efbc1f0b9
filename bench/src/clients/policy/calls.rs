//! Calls, as far as policies see them, and what they cost.

use std::{
    hint::black_box,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use thalweg_core::{
    lb::{CallEnd, Pick, PickArgs, Picker, Tracker, Wake},
    metadata::Metadata,
    status::Code,
};

/// The one header of a call.
pub(super) const HEADER: &str = "x-user";

/// How many are timed at once: some hundreds of microseconds.
const CHUNK: usize = 10_000;

/// Who observes the calls of each subchannel, by slot.
pub(super) type Observers = Vec<Vec<Tracker>>;

/// A call that carries one header.
#[derive(Debug)]
pub(super) struct Call(String);

impl Metadata for Call {
    fn each_value(&self, key: &str, each: &mut dyn FnMut(&[u8])) {
        if key == HEADER {
            each(self.0.as_bytes());
        }
    }
}

impl Call {
    /// One of many, each with another value of the header.
    pub(super) fn number(n: usize) -> Self {
        Self(format!("user-{n}"))
    }

    fn args(&self, now: Instant, seed: usize) -> PickArgs<'_> {
        let mut args = PickArgs::new("/package.Service/Method", now, seed as u64);
        args.metadata = self;
        args
    }

    /// The verdict, and whom it wakes.
    pub(super) fn ask(&self, picker: &dyn Picker, now: Instant) -> (Pick, Option<Wake>) {
        let args = self.args(now, 0);
        (picker.pick(&args), args.wanted())
    }

    /// A pick, from its arguments to its verdict.
    pub(super) fn pick(&self, picker: &dyn Picker, now: Instant, seed: usize) {
        black_box(picker.pick(&self.args(now, seed)));
    }

    /// A pick, and whoever observes calls is told of the call's start and end.
    pub(super) fn make(&self, picker: &dyn Picker, now: Instant, seed: usize, observers: &Observers) {
        let Pick::Use(id) = picker.pick(&self.args(now, seed)) else { return };
        let observers = observers.get(id.slot()).map(Vec::as_slice).unwrap_or_default();
        observers.iter().for_each(|observer| observer.start());
        let end = CallEnd::new(Code::Ok, now, Duration::from_millis(1));
        observers.iter().for_each(|observer| observer.end(&end));
    }
}

/// Does the work over and over on some threads at a time. Says how many nanoseconds one takes: the median of the chunks
/// of each thread, so that moments in which a thread did not run don't count, and the mean of the threads.
pub(super) fn on_threads(threads: usize, window: Duration, work: impl Fn(usize) + Sync) -> f64 {
    let together = Barrier::new(threads);
    let one = |thread: usize| {
        together.wait();
        let (began, mut chunks) = (Instant::now(), vec![]);
        while began.elapsed() < window || chunks.is_empty() {
            let start = Instant::now();
            (thread * CHUNK..(thread + 1) * CHUNK).for_each(&work);
            chunks.push(start.elapsed());
        }
        chunks.sort();
        chunks[chunks.len() / 2].as_secs_f64() * 1e9 / CHUNK as f64
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| {
                let one = &one;
                scope.spawn(move || one(thread))
            })
            .collect();
        let medians = running.into_iter().map(|thread| thread.join().expect("picks don't panic"));
        medians.sum::<f64>() / threads as f64
    })
}
