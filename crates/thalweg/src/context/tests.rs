//! Trailing metadata is merged, never mixed up with gRPC's own; the end of a call is heard.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

use http::{HeaderMap, uri::PathAndQuery};
use tonic::metadata::MetadataValue;

use super::{ServerCall, ServerRequestExt};

fn call() -> ServerCall {
    ServerCall::new(Arc::default(), PathAndQuery::from_static("/"), None)
}

#[test]
fn trailing_metadata_joins_what_is_there_and_keeps_every_value() {
    let (call, mut headers) = (call(), HeaderMap::new());
    headers.insert("grpc-status", "0".parse().unwrap());
    let trailers = call.trailers();
    trailers.append("x-step", "one".parse().unwrap());
    trailers.append("x-step", "two".parse().unwrap());
    trailers.insert_bin("x-cost-bin", MetadataValue::from_bytes(&[0, 255]));
    call.write_trailers(&mut headers);
    let steps: Vec<_> = headers.get_all("x-step").iter().collect();
    assert_eq!(steps, ["one", "two"]);
    assert_eq!(headers["x-cost-bin"], "AP8");
    assert_eq!(headers["grpc-status"], "0");
}

#[test]
fn reserved_keys_are_left_out() {
    let (call, mut headers) = (call(), HeaderMap::new());
    headers.insert("grpc-status", "5".parse().unwrap());
    call.trailers().insert("grpc-status", "0".parse().unwrap());
    call.trailers().insert_bin("grpc-status-details-bin", MetadataValue::from_bytes(b"lie"));
    call.write_trailers(&mut headers);
    assert_eq!(headers.len(), 1);
    assert_eq!(headers["grpc-status"], "5");
}

#[test]
fn a_request_from_elsewhere_has_no_call_but_takes_trailers() {
    let request = tonic::Request::new(());
    assert!(request.call().is_none() && request.peer().is_none() && request.deadline().is_none());
    request.trailers().insert("x-cost", "1".parse().unwrap());
    assert!(request.going_away().as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
}

#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn the_end_of_a_call_wakes_its_reader_once() {
    let (call, counter) = (call(), Arc::new(Counter::default()));
    let waker = Waker::from(Arc::clone(&counter));
    assert!(!call.is_over(&waker) && !call.is_over(&waker));
    call.end();
    call.end();
    assert_eq!(counter.0.load(Ordering::Relaxed), 1);
    assert!(call.is_over(&waker));
}
