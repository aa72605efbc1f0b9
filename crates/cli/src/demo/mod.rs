//! `thalweg demo`: a small fleet in one process, called at a steady rate while backends come and go.

mod display;
mod report;

mod ledger;
mod script;

mod load;

mod fleet;

mod onlooker;

mod news;

mod balance;
mod figures;
mod options;

use std::{
    io::{self, Write},
    process::ExitCode,
    time::Duration,
};

use thalweg::{Channel, channel::BuildError, core::backoff::BackoffConfig, registry::Registry, server::ServerError};
use thalweg_proto::demo::greeter_client::GreeterClient;
use thiserror::Error;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver},
    time::{Instant, MissedTickBehavior, interval_at},
};

pub(crate) use self::options::Options;
use self::{
    balance::BalanceError,
    display::Display,
    fleet::{Fleet, Guests},
    ledger::Ledger,
    load::Outcome,
    news::{News, Teller},
    report::Report,
};

/// A fleet that is next door and comes back within seconds is tried again sooner than gRPC's defaults would.
const BACKOFF: BackoffConfig = BackoffConfig {
    initial: Duration::from_millis(250),
    multiplier: 1.6,
    jitter: 0.2,
    max: Duration::from_secs(1),
    min_connect_timeout: Duration::from_secs(5),
};

/// Why the demo could not be shown.
#[derive(Debug, Error)]
enum DemoError {
    #[error("{0}")]
    Balance(#[from] BalanceError),
    #[error("--listen: {0}")]
    Listen(#[source] ServerError),
    #[error("a backend did not start: {0}")]
    Backend(#[source] ServerError),
    #[error("the channel: {0}")]
    Channel(#[from] BuildError),
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

/// Runs the demo. What it says of exit codes is in the flags' help.
pub(crate) async fn run(options: &Options) -> ExitCode {
    let error = match show(options).await {
        Ok(true) => return ExitCode::SUCCESS,
        Ok(false) => return ExitCode::FAILURE,
        Err(error) => error,
    };
    if !matches!(&error, DemoError::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
        // There is nowhere left to complain to.
        let _ = writeln!(io::stderr(), "error: {error}");
    }
    match error {
        DemoError::Balance(_) | DemoError::Listen(_) => ExitCode::from(2),
        DemoError::Backend(_) | DemoError::Channel(_) | DemoError::Output(_) => ExitCode::FAILURE,
    }
}

/// Shows the demo, and says whether everything went as told.
async fn show(options: &Options) -> Result<bool, DemoError> {
    let (teller, news) = Teller::new();
    let registry = onlooker::look_on(Registry::default(), &teller);
    let balance = balance::choose(options.policy.as_deref(), options.service_config.as_deref(), registry.policies())?;
    let guests = match &options.listen {
        Some(address) => Some(Guests::listen(address).await.map_err(DemoError::Listen)?),
        None => None,
    };
    let mut fleet = Fleet::start(options.backends.into()).await.map_err(DemoError::Backend)?;
    let channel = Channel::builder(fleet::TARGET)
        .registry(registry.with_resolver(fleet.resolver()))
        .default_service_config(balance.service_config)
        .backoff(BACKOFF)
        .build()?;

    let mut stage = Stage::new(options.duration, fleet.size());
    stage.open(options, &balance.policy, guests.as_ref())?;
    let (sender, outcomes) = mpsc::unbounded_channel();
    let client = GreeterClient::new(channel.clone());
    let load = tokio::spawn(load::run(client, options.rate, options.duration, sender));
    let story = script::play(&mut fleet, options.duration, &teller);
    let interrupted = stage.watch(news, outcomes, story, || load.abort()).await?;

    let report = Report { ledger: &stage.ledger, policy: &balance.policy, elapsed: stage.start.elapsed(), interrupted };
    stage.display.close()?;
    let mut out = io::stdout().lock();
    write!(out, "\n{}", report.text(|backend| fleet.pace(backend)))?;
    if options.json {
        writeln!(out, "{}", report.json())?;
    }
    drop((out, channel));
    fleet.stop().await;
    if let Some(guests) = guests {
        guests.stop().await;
    }
    Ok(report.is_as_told())
}

/// Where the run is watched and written down.
#[derive(Debug)]
struct Stage {
    ledger: Ledger,
    display: Box<dyn Display>,
    start: Instant,
}

impl Stage {
    fn new(duration: Duration, backends: usize) -> Self {
        let display = display::choose(duration, backends);
        let ledger = Ledger::new(backends, display.refreshes_per_second() as usize);
        Self { ledger, display, start: Instant::now() }
    }

    /// Says what is about to be seen.
    fn open(&mut self, options: &Options, policy: &str, guests: Option<&Guests>) -> io::Result<()> {
        let Options { backends, rate, duration, .. } = options;
        self.display.line(&format!(
            "{backends} backends on loopback TCP, {rate} calls/s for {duration:?}, {policy}, deadline {:?}",
            load::DEADLINE
        ))?;
        guests.map_or(Ok(()), |guests| {
            self.display.line(&format!("serving thalweg.demo.v1.Greeter to foreign clients on {}", guests.address()))
        })
    }

    /// Watches until every call is over, and says whether Ctrl-C came first; then `cut_short` is called.
    async fn watch(
        &mut self,
        mut news: UnboundedReceiver<News>,
        mut outcomes: UnboundedReceiver<Outcome>,
        story: impl Future<Output = Result<(), ServerError>>,
        cut_short: impl Fn(),
    ) -> Result<bool, DemoError> {
        let period = Duration::from_secs(1) / self.display.refreshes_per_second();
        let mut ticks = interval_at(self.start + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let interrupt = interrupt();
        tokio::pin!(story, interrupt);
        let (mut interrupted, mut told) = (false, false);
        loop {
            // News first: that a backend is killed is known before its calls fail.
            tokio::select! {
                biased;
                () = &mut interrupt, if !interrupted => {
                    interrupted = true;
                    cut_short();
                }
                Some(news) = news.recv() => self.hear(&news)?,
                end = &mut story, if !told => {
                    told = true;
                    end.map_err(DemoError::Backend)?;
                }
                _ = ticks.tick() => {
                    self.display.refresh(self.start.elapsed(), &self.ledger)?;
                    self.ledger.turn();
                }
                outcome = outcomes.recv() => match outcome {
                    Some(outcome) => self.ledger.enter(&outcome),
                    None => return Ok(interrupted),
                },
            }
        }
    }

    fn hear(&mut self, news: &News) -> io::Result<()> {
        if !self.ledger.hear(news) {
            return Ok(());
        }
        let at = news.at.saturating_duration_since(self.start).as_secs_f64();
        self.display.line(&format!("{at:5.1}s  {news}"))
    }
}

/// Ready when Ctrl-C is pressed; never, if the system does not let us hear of it.
async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
