//! The load: calls at a steady rate in an open loop, and how each of them went.

use std::{net::SocketAddr, time::Duration};

use thalweg::Channel;
use thalweg_proto::bench::{Payload, echo_client::EchoClient};
use tokio::{
    sync::mpsc::UnboundedSender,
    time::{Instant, sleep_until},
};
use tonic::{Code, Request, Status};

use crate::judge::{Call, Outcome};

/// Calls per second.
pub(crate) const RATE: u32 = 2_000;
/// What every call has until it ends with DEADLINE_EXCEEDED.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// Calls until `end`, and tells `calls` how each went.
pub(crate) async fn run(
    channel: Channel,
    backends: Vec<SocketAddr>,
    begin: Instant,
    end: Instant,
    calls: UnboundedSender<Call>,
) {
    let client = EchoClient::new(channel);
    for number in 0.. {
        let due = Duration::from_secs(1) * number / RATE;
        if begin + due >= end {
            break;
        }
        sleep_until(begin + due).await;
        let (client, backends, calls) = (client.clone(), backends.clone(), calls.clone());
        tokio::spawn(async move {
            // If nobody listens any more, the run is over.
            let _ = calls.send(call(client, &backends, begin, due).await);
        });
    }
}

async fn call(mut client: EchoClient<Channel>, backends: &[SocketAddr], begin: Instant, due: Duration) -> Call {
    let mut request = Request::new(Payload::default());
    request.set_timeout(DEADLINE);
    // What ring_hash goes by.
    request.metadata_mut().insert("x-key", fastrand::u32(..).into());
    let begun = begin.elapsed();
    let (backend, outcome) = match client.unary(request).await {
        Ok(reply) => (reply.get_ref().body.first().map(|number| usize::from(*number)), Outcome::Served),
        Err(status) => blame(&status, backends),
    };
    Call { due, begun, ended: begin.elapsed(), backend, outcome }
}

/// Which backend failed, and how. Errors of the channel's begin with the address.
fn blame(status: &Status, backends: &[SocketAddr]) -> (Option<usize>, Outcome) {
    if let (Code::Internal, Ok(number)) = (status.code(), status.message().parse()) {
        return (Some(number), Outcome::Refused);
    }
    let at = backends.iter().position(|address| status.message().starts_with(&address.to_string()));
    let text = format!("{:?}: {}", status.code(), status.message());
    match at {
        Some(backend) if status.code() == Code::Unavailable => (Some(backend), Outcome::Lost(text)),
        backend => (backend, Outcome::Other(text)),
    }
}
