//! `pick`: what a load-balancing policy costs: a call, when it picks, and whoever runs the policy, when things change.
//!
//! Nothing is connected. Each sample is a process that builds one policy over a number of endpoints, all of them READY,
//! and times it. grpc-go's policies, driven through its public API, may stand beside ours.

use clap::Args;

use crate::{
    bar::{Bar, Limit, Subject},
    benchmark::{Benchmark, RunArgs},
    clients::{ClientArgs, ClientKind, Work, grpc_go, policies},
    error::Error,
    harness::{Cell, Column, OURS},
    sample::Metric,
};

#[cfg(test)]
mod tests;

/// The column that thalweg is compared with.
const THEIRS: &str = "grpc-go";
/// The column that growth is measured from.
const FEW: &str = "10 of them";
const ENDPOINTS: [usize; 3] = [10, 1_000, 10_000];
const MANY: usize = 10_000;
const THREADS: [usize; 2] = [1, 2];
/// Seconds of picks.
const SECONDS: f64 = 0.3;
const ROUNDS: usize = 3;

/// The options of `pick`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PickArgs {
    /// What to run, and what to print.
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Seconds that each sample picks.
    #[arg(long, default_value_t = SECONDS)]
    seconds: f64,
    /// Builds `bench/peers/go` and measures grpc-go's policies as well; needs Go.
    #[arg(long)]
    go: bool,
}

impl PickArgs {
    /// The benchmark.
    ///
    /// # Errors
    ///
    /// grpc-go's side can't be built.
    pub(crate) fn benchmark(&self) -> Result<Benchmark, Error> {
        if self.go {
            grpc_go::build()?;
        }
        let cells = cells(&policies(), self.seconds, self.go);
        Ok(Benchmark { name: "pick", cells, seconds: Some(self.seconds), least_rounds: ROUNDS })
    }
}

/// All cells, in the order of the report.
fn cells(policies: &[String], seconds: f64, go: bool) -> Vec<Cell> {
    let mut cells = vec![];
    for threads in THREADS {
        for policy in policies {
            cells.extend(ENDPOINTS.map(|endpoints| pick_cell(policy, endpoints, threads, seconds, go)));
        }
    }
    for threads in THREADS {
        cells.extend(policies.iter().map(|policy| growth_cell(policy, threads, seconds)));
    }
    cells.extend(policies.iter().map(|policy| ready_cell(policy)));
    cells.extend(policies.iter().map(|policy| update_cell(policy, go)));
    cells
}

/// Nanoseconds that a pick of this policy may take among many endpoints, if it is held to any.
fn limit(policy: &str) -> Option<f64> {
    match policy {
        "least_request" | "random" | "round_robin" | "weighted_target" => Some(60.0),
        "ring_hash" => Some(250.0),
        _ => None,
    }
}

fn pick_cell(policy: &str, endpoints: usize, threads: usize, seconds: f64, go: bool) -> Cell {
    let name = format!("pick.{policy}.{endpoints}{}", suffix(threads));
    let limit = limit(policy).filter(|_| endpoints == MANY);
    let client = client(ClientKind::Policy, Work::Pick, policy, endpoints, threads, seconds);
    Cell {
        bars: limit.map(|limit| bar(name.clone(), Metric::PickNs, Subject::Figure, limit)).into_iter().collect(),
        name,
        table: format!("Picks among so many endpoints, {}", with_threads(threads)),
        row: format!("{policy} {endpoints}"),
        reference: THEIRS,
        columns: beside_grpc_go(client, go),
    }
}

/// From few endpoints to many a pick may grow as the logarithm of their number does.
fn growth_cell(policy: &str, threads: usize, seconds: f64) -> Cell {
    let column = |title, endpoints| {
        let client = client(ClientKind::Policy, Work::Pick, policy, endpoints, threads, seconds);
        Column { title, server: None, client }
    };
    let name = format!("pick.{policy}.growth{}", suffix(threads));
    let most = (MANY as f64).log10() / (ENDPOINTS[0] as f64).log10();
    Cell {
        bars: vec![bar(name.clone(), Metric::PickNs, Subject::Ratio, most)],
        name,
        table: format!("Picks among {MANY} endpoints, {}, to {FEW}", with_threads(threads)),
        row: policy.to_owned(),
        reference: FEW,
        columns: vec![column(FEW, ENDPOINTS[0]), column(OURS, MANY)],
    }
}

/// grpc-go takes minutes, so it has no column here: its program measures it when started by hand.
fn ready_cell(policy: &str) -> Cell {
    let name = format!("control.ready{MANY}.{policy}");
    let client = client(ClientKind::Policy, Work::Ready, policy, MANY, 1, 0.0);
    Cell {
        bars: vec![bar(name.clone(), Metric::ReadyMs, Subject::Figure, 1_000.0)],
        name,
        table: format!("{MANY} endpoints become READY one after the other"),
        row: policy.to_owned(),
        reference: THEIRS,
        columns: beside_grpc_go(client, false),
    }
}

fn update_cell(policy: &str, go: bool) -> Cell {
    let name = format!("control.update{MANY}.{policy}");
    let client = client(ClientKind::Policy, Work::Update, policy, MANY, 1, 0.0);
    Cell {
        bars: vec![bar(name.clone(), Metric::UpdateMs, Subject::Figure, 20.0)],
        name,
        table: format!("The resolver replaces 10 of {MANY} endpoints"),
        row: policy.to_owned(),
        reference: THEIRS,
        columns: beside_grpc_go(client, go),
    }
}

fn beside_grpc_go(client: ClientArgs, go: bool) -> Vec<Column> {
    let theirs = (go && grpc_go::name_of(&client.policy).is_some()).then(|| {
        let client = ClientArgs { kind: ClientKind::GrpcGo, ..client.clone() };
        Column { title: THEIRS, server: None, client }
    });
    [Column { title: OURS, server: None, client }].into_iter().chain(theirs).collect()
}

fn client(kind: ClientKind, work: Work, policy: &str, endpoints: usize, threads: usize, seconds: f64) -> ClientArgs {
    let new = ClientArgs::new(kind, work, seconds);
    ClientArgs { policy: policy.to_owned(), concurrency: endpoints, threads, warm_up: 0.0, ..new }
}

fn bar(name: String, metric: Metric, subject: Subject, most: f64) -> Bar {
    Bar { name, metric, subject, limit: Limit::Most(most) }
}

/// One thread goes without saying.
fn suffix(threads: usize) -> String {
    if threads == 1 { String::new() } else { format!(".t{threads}") }
}

fn with_threads(threads: usize) -> String {
    format!("{threads} thread{}", if threads == 1 { "" } else { "s" })
}
