//! The CONNECT request and its answer.

use std::io;

use bytes::BytesMut;
use http::HeaderValue;
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::prefixed::Prefixed;
use crate::{error::connect::describe_io, io::BoxIo};

/// The longest answer that we read, in bytes.
const MAX_ANSWER: usize = 16 << 10;
/// The most headers in it.
const MAX_HEADERS: usize = 64;

/// Why the proxy opened no tunnel.
#[derive(Debug, Error)]
pub(super) enum TunnelError {
    #[error("{}", describe_io(.0))]
    Io(#[from] io::Error),
    #[error("closed the connection without an answer to CONNECT {0}")]
    Closed(String),
    #[error("answered CONNECT {target} with {code} {reason}")]
    Refused { target: String, code: u16, reason: String },
    #[error("answered CONNECT {0} with something that is not HTTP/1")]
    Malformed(String),
    #[error("answered CONNECT {0} with more than {MAX_ANSWER} bytes")]
    TooLong(String),
}

/// Has the proxy at the other end of `io` connect to `target`.
pub(super) async fn open(
    mut io: BoxIo,
    target: &str,
    authorization: Option<&HeaderValue>,
) -> Result<BoxIo, TunnelError> {
    io.write_all(&request(target, authorization)).await?;
    io.flush().await?;
    let mut answer = BytesMut::with_capacity(1024);
    loop {
        if io.read_buf(&mut answer).await? == 0 {
            return Err(TunnelError::Closed(target.to_owned()));
        }
        if let Some(head) = accepted(&answer, target)? {
            let early = answer.split_off(head).freeze();
            return Ok(if early.is_empty() { io } else { Box::new(Prefixed::new(early, io)) });
        }
        if answer.len() > MAX_ANSWER {
            return Err(TunnelError::TooLong(target.to_owned()));
        }
    }
}

fn request(target: &str, authorization: Option<&HeaderValue>) -> Vec<u8> {
    let agent = concat!("thalweg/", env!("CARGO_PKG_VERSION"));
    let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {agent}\r\n").into_bytes();
    if let Some(value) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    request
}

/// The length of the answer's head once all of it is there and says yes (any 2xx).
fn accepted(answer: &[u8], target: &str) -> Result<Option<usize>, TunnelError> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(answer) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(TunnelError::Malformed(target.to_owned())),
    };
    match response.code {
        Some(200..=299) => Ok(Some(head)),
        code => Err(TunnelError::Refused {
            target: target.to_owned(),
            code: code.unwrap_or_default(),
            reason: response.reason.unwrap_or_default().to_owned(),
        }),
    }
}
