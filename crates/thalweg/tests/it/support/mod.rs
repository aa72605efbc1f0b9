//! What the tests of clients share: greeters on a network in memory, scripted servers, and ways to call both.

pub(crate) mod fleet;
pub(crate) mod greeter;
pub(crate) mod health;
pub(crate) mod load;
pub(crate) mod logs;
pub(crate) mod script;

use std::time::Duration;

use thalweg::{Channel, error::LocalError};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient};
use tokio::task::JoinHandle;
use tonic::{Code, Request, Status};

/// Lets this much time pass. Only on paused time.
pub(crate) async fn pass(time: Duration) {
    let _ = tokio::time::timeout(time, std::future::pending::<()>()).await;
}

/// Lets everything happen that happens without time.
pub(crate) async fn settle() {
    pass(Duration::from_millis(1)).await;
}

/// Lets time pass, in steps, until this holds: for longer than any backoff at most.
pub(crate) async fn until(what: &str, step: Duration, mut holds: impl FnMut() -> bool) {
    let begun = tokio::time::Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(200), "waited for {what} in vain");
        pass(step).await;
    }
}

/// A client of the greeter.
pub(crate) fn client(channel: &Channel) -> GreeterClient<Channel> {
    GreeterClient::new(channel.clone())
}

/// A request to greet.
pub(crate) fn named(name: &str) -> Request<HelloRequest> {
    Request::new(HelloRequest { name: name.to_owned() })
}

/// A unary call.
pub(crate) async fn hello(channel: &Channel, name: &str) -> Result<HelloReply, Status> {
    send(channel, named(name)).await
}

/// A unary call with options.
pub(crate) async fn send(channel: &Channel, request: Request<HelloRequest>) -> Result<HelloReply, Status> {
    client(channel).say_hello(request).await.map(tonic::Response::into_inner)
}

/// A unary call that goes on by itself.
pub(crate) fn call(channel: &Channel, request: Request<HelloRequest>) -> JoinHandle<Result<HelloReply, Status>> {
    let mut client = client(channel);
    tokio::spawn(async move { client.say_hello(request).await.map(tonic::Response::into_inner) })
}

/// Why a call failed: the code, the message, and thalweg's mark, if it carries one.
pub(crate) fn told(status: &Status) -> (Code, &str, Option<LocalError>) {
    (status.code(), status.message(), LocalError::of(status).cloned())
}
