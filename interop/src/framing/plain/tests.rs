//! Tests of the plan for each message.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use http_body_util::{BodyExt, Full};

use super::*;

fn message(compressed: bool, payload: &[u8]) -> Vec<u8> {
    let mut message = vec![u8::from(compressed)];
    message.extend(u32::try_from(payload.len()).unwrap().to_be_bytes());
    message.extend(payload);
    message
}

fn gzip(payload: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(payload).unwrap();
    message(true, &encoder.finish().unwrap())
}

async fn sent(body: Vec<u8>, plan: &[bool]) -> Result<Bytes, Status> {
    let wanted = Plan::default();
    plan.iter().for_each(|compressed| wanted.push(*compressed));
    let body = tonic::body::Body::new(Full::new(Bytes::from(body)));
    Ok(Planned::body(body, wanted).collect().await?.to_bytes())
}

#[tokio::test]
async fn only_a_message_planned_plain_is_inflated() {
    let body = [gzip(b"one"), gzip(b"two"), gzip(b"three")].concat();
    let expected = [gzip(b"one"), message(false, b"two"), gzip(b"three")].concat();
    assert_eq!(sent(body, &[true, false]).await.unwrap(), expected);
}

#[tokio::test]
async fn a_message_that_is_plain_already_is_left_alone() {
    let body = message(false, b"plain");
    assert_eq!(sent(body.clone(), &[false]).await.unwrap(), body);
}

#[tokio::test]
async fn a_compressed_message_that_is_not_gzip_ends_the_body_with_internal() {
    let status = sent(message(true, b"not gzip"), &[false]).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Internal);
}

#[test]
fn a_body_without_messages_ends_at_once() {
    assert!(Planned::body(tonic::body::Body::empty(), Plan::default()).is_end_stream());
}
