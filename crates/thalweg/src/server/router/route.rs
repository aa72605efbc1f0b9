//! Any tower service as one kind of route.

use std::{
    any::Any,
    convert::Infallible,
    future::{Future, poll_fn},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use http::{Request, Response};
use tonic::{Status, body::Body};
use tower_service::Service;

use crate::rt::BoxFuture;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A response to come: the very type that the services which tonic generates return.
pub type BoxAnswer = BoxFuture<'static, Result<Response<Body>, Infallible>>;

/// What a server can mount: every service that `tonic-prost-build` generates, and any other tower service of requests
/// with [`tonic::body::Body`] whose responses have a body of [`Bytes`]. Each call runs on a clone; an error becomes the
/// status that [`Status::from_error`] finds in it.
///
/// Implemented for all of them; there is no need to implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a service that a gRPC server can mount",
    note = "it takes a `Clone + Send + Sync` tower service of `http::Request<tonic::body::Body>`"
)]
pub trait Mountable: Send + Sync + 'static {
    #[doc(hidden)]
    fn answer(&self, request: Request<Body>) -> BoxAnswer;
}

impl<S, B> Mountable for S
where
    S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError> + Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn answer(&self, request: Request<Body>) -> BoxAnswer {
        let mut service = self.clone();
        // What tonic generates is always ready: then there is nothing to wait for, and nothing to box again.
        match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(())) => boxed(service.call(request)),
            Poll::Ready(Err(error)) => boxed(async { Err::<Response<B>, _>(error) }),
            Poll::Pending => boxed(async move {
                poll_fn(|cx| service.poll_ready(cx)).await?;
                service.call(request).await
            }),
        }
    }
}

/// Boxes the future, unless it is the right kind of box already.
fn boxed<B, E>(future: impl Future<Output = Result<Response<B>, E>> + Send + 'static) -> BoxAnswer
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
    E: Into<BoxError>,
{
    let mut slot = Some(future);
    if let Some(boxed) = <dyn Any>::downcast_mut::<Option<BoxAnswer>>(&mut slot).and_then(Option::take) {
        return boxed;
    }
    let future = slot.expect("only a box is taken out of the slot, and then it is returned");
    Box::pin(async {
        Ok(match future.await {
            Ok(response) => response.map(Body::new),
            Err(error) => Status::from_error(error.into()).into_http(),
        })
    })
}
