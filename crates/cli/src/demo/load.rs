//! The load: calls at a steady rate in an open loop, so that a slow backend does not slow the caller down.

use std::time::Duration;

use thalweg::Channel;
use thalweg_proto::demo::{HelloRequest, greeter_client::GreeterClient};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep_until},
};
use tonic::{Request, Status};

use super::onlooker;

/// What every call has until it ends with DEADLINE_EXCEEDED.
pub(super) const DEADLINE: Duration = Duration::from_secs(5);

/// How one call went.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    /// The backend that it was sent to last, if it was sent to any.
    pub(super) reached: Option<usize>,
    pub(super) result: Result<(), Status>,
}

/// Calls `rate` times a second for this long. Every call is a task of its own and tells `outcomes` how it went; the last
/// sender is gone when the last call is over.
pub(super) async fn run(
    client: GreeterClient<Channel>,
    rate: u32,
    duration: Duration,
    outcomes: UnboundedSender<Outcome>,
) {
    let begun = Instant::now();
    let calls = (duration.as_secs_f64() * f64::from(rate)) as u64;
    for number in 0..calls {
        sleep_until(begun + Duration::from_secs_f64(number as f64 / f64::from(rate))).await;
        let (client, outcomes) = (client.clone(), outcomes.clone());
        tokio::spawn(async move {
            // If nobody listens any more, the demo is over.
            let _ = outcomes.send(call(client).await);
        });
    }
}

async fn call(mut client: GreeterClient<Channel>) -> Outcome {
    let begun = Instant::now();
    let mut request = Request::new(HelloRequest { name: "world".into() });
    request.set_timeout(DEADLINE);
    let (result, reached) = onlooker::watch(client.say_hello(request)).await;
    Outcome { begun, ended: Instant::now(), reached, result: result.map(|_| ()) }
}
