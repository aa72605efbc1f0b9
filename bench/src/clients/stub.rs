//! The generated stub and the unary calls it makes, whatever it stands on.

use std::time::Duration;

use bytes::Bytes;
use thalweg_proto::bench::{DownloadRequest, Payload, echo_client::EchoClient};
use tokio::runtime::Runtime;
use tonic::{
    Request,
    body::Body,
    client::GrpcService,
    codegen::{Body as HttpBody, StdError},
};

use super::{
    ClientArgs, Work, no_such_work, run_unary,
    streams::{PingPong, ServerStream},
};
use crate::{
    error::Error,
    load::{self, Caller},
    sample::Sample,
};

/// The deadline of every call: one must be there, none may pass.
const DEADLINE: Duration = Duration::from_secs(60);

/// What a stub can stand on.
pub(super) trait Ground:
    GrpcService<
        Body,
        Future: Send,
        Error: Into<StdError>,
        ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
    > + Clone
    + Send
    + 'static
{
}

impl<T> Ground for T where
    T: GrpcService<
            Body,
            Future: Send,
            Error: Into<StdError>,
            ResponseBody: HttpBody<Data = Bytes, Error: Into<StdError> + Send> + Send + 'static,
        > + Clone
        + Send
        + 'static
{
}

/// The work of a client that has a stub: all there is.
pub(super) fn run<T: Ground>(
    args: &ClientArgs,
    runtime: &Runtime,
    connect: impl AsyncFn() -> Result<EchoClient<T>, Error>,
) -> Result<Sample, Error> {
    let (payload, load) = (args.payload(), args.load());
    let connect_once = || runtime.block_on(connect());
    match args.work {
        Work::Download => {
            let stub = connect_once()?;
            load::run(runtime, || Download(stub.clone()), &payload, &load)
        }
        Work::PingPong => {
            let stub = connect_once()?;
            load::run(runtime, || PingPong::new(stub.clone()), &payload, &load)
        }
        Work::ServerStream => {
            let stub = connect_once()?;
            load::run(runtime, || ServerStream::new(stub.clone()), &payload, &load)
        }
        Work::Unary | Work::Hold | Work::Idle | Work::Growth => run_unary(args, runtime, connect),
        Work::Pick | Work::Ready | Work::Update => Err(no_such_work(args)),
    }
}

impl<T: Ground> Caller for EchoClient<T> {
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        let reply = self.unary(with_deadline(Payload { body: payload.clone() })).await?.into_inner();
        Error::unless_echo(reply.body.len(), payload.len())
    }
}

/// Asks for one message of the payload's size with a request of a few bytes.
struct Download<T>(EchoClient<T>);

impl<T: Ground> Caller for Download<T> {
    async fn call(&mut self, payload: &Bytes) -> Result<(), Error> {
        let mut stream = self.0.download(with_deadline(download(1, payload))).await?.into_inner();
        let mut received = 0;
        while let Some(message) = stream.message().await? {
            received += message.body.len();
        }
        Error::unless_echo(received, payload.len())
    }
}

/// A request for messages of the payload's size.
pub(super) fn download(messages: u32, payload: &Bytes) -> DownloadRequest {
    let message_bytes = u32::try_from(payload.len()).expect("a benchmark's payload is far smaller than 4 GiB");
    DownloadRequest { messages, message_bytes }
}

fn with_deadline<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(DEADLINE);
    request
}
