//! What a call says before its first message: options, deadline, metadata, authority.

use std::{
    sync::{Arc, LazyLock},
    time::{Duration, Instant},
};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_TYPE, TE, USER_AGENT},
    request::Parts,
    uri::{Authority, PathAndQuery},
};
use thalweg_core::{deadline, metadata::Metadata, service_config::MethodConfig};
use tonic::{Code, Status, metadata::MetadataMap};

use super::metadata::Headers;
use crate::{
    control::ChannelFacts,
    credentials::{CallContext, CallCredentials},
    error::{LocalError, control_plane, core_code},
    request::CallOptions,
    rt::BoxFuture,
    transport::{
        client::RequestHead,
        metadata::{FORBIDDEN, header_list_size},
    },
};

/// The content type of every stub's call.
const GRPC: &str = "application/grpc";
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);

/// The head of a call, and everything that was decided about it.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) path: PathAndQuery,
    /// The metadata, if there is any: most calls have none, and a map is large.
    headers: Option<Box<HeaderMap>>,
    pub(super) deadline: Option<Instant>,
    pub(super) wait_for_ready: bool,
    pub(super) max_receive: usize,
    pub(super) max_send: usize,
    /// What the call was told, if anything.
    options: Option<Box<CallOptions>>,
    /// The selector has been asked.
    pub(super) configured: bool,
    pub(super) hash: Option<u64>,
}

impl Head {
    /// Takes the options out of a request.
    pub(super) fn new(parts: Parts, facts: &ChannelFacts, now: Instant) -> Result<Self, Status> {
        let Parts { uri, mut headers, mut extensions, .. } = parts;
        let options: Option<CallOptions> = extensions.remove();
        let options = options.map(Box::new);
        let told = options.as_deref();
        let path = uri.path_and_query().cloned().ok_or_else(|| malformed("the request has no path"))?;
        let (is_plain, timeout) = look_over(&headers)?;
        let deadline =
            earliest(told.and_then(|told| told.deadline), timeout.map(|timeout| deadline::from_now(now, timeout)));
        if !is_plain {
            headers.remove(GRPC_TIMEOUT);
            refuse_connection_headers(&headers)?;
            headers.remove(USER_AGENT);
        }
        let head = Self {
            path,
            // What is plain the transport says without being told.
            headers: (!is_plain).then(|| Box::new(headers)),
            deadline,
            wait_for_ready: told.and_then(|told| told.wait_for_ready).unwrap_or(false),
            max_receive: told.and_then(|told| told.max_receive_message_size).unwrap_or(facts.max_receive_message_size),
            max_send: told.and_then(|told| told.max_send_message_size).unwrap_or(facts.max_send_message_size),
            options,
            configured: false,
            hash: None,
        };
        if !is_plain {
            head.check_size(facts.max_metadata_size)?;
        }
        Ok(head)
    }

    /// Takes over what the service config says of this method (A2): the call's own options win, limits and timeouts
    /// only shrink.
    pub(super) fn configure(&mut self, method: Option<&MethodConfig>, hash: Option<u64>, begun: Instant) {
        self.configured = true;
        self.hash = hash;
        let Some(method) = method else { return };
        self.deadline = earliest(self.deadline, method.timeout.map(|timeout| deadline::from_now(begun, timeout)));
        let told = self.options.as_ref().and_then(|told| told.wait_for_ready);
        self.wait_for_ready = told.or(method.wait_for_ready).unwrap_or(false);
        self.max_receive = self.max_receive.min(method.max_response_bytes.unwrap_or(usize::MAX));
        self.max_send = self.max_send.min(method.max_request_bytes.unwrap_or(usize::MAX));
    }

    /// The metadata of the call's and the channel's credentials, to be had.
    pub(super) fn credentials(&self, facts: &ChannelFacts) -> Option<BoxFuture<'static, Result<HeaderMap, Status>>> {
        let own = self.options.as_ref().and_then(|told| told.credentials.as_ref());
        if facts.credentials.is_none() && own.is_none() {
            return None;
        }
        let all: Vec<_> = facts.credentials.iter().chain(own).cloned().collect();
        let (method, authority) = (self.path.clone(), self.authority(facts).clone());
        let is_secure = facts.is_secure;
        Some(Box::pin(async move {
            let mut metadata = HeaderMap::new();
            let call = CallContext { method: method.path(), authority: authority.as_str() };
            for credentials in all {
                metadata.extend(ask(&*credentials, call, is_secure).await?.into_headers());
            }
            Ok(metadata)
        }))
    }

    /// Adds what the credentials said, but for what only gRPC itself may say.
    pub(super) fn add(&mut self, mut metadata: HeaderMap, facts: &ChannelFacts) -> Result<(), Status> {
        refuse_connection_headers(&metadata)?;
        for name in [USER_AGENT, TE, CONTENT_TYPE] {
            metadata.remove(name);
        }
        self.headers.get_or_insert_default().extend(metadata);
        self.check_size(facts.max_metadata_size)
    }

    /// Does the caller want to know who answered?
    pub(super) fn wants_peer(&self) -> bool {
        self.options.as_ref().is_some_and(|told| told.peer)
    }

    fn authority<'a>(&'a self, facts: &'a ChannelFacts) -> &'a Authority {
        self.own_authority().unwrap_or(&facts.authority)
    }

    /// The authority that this call was given in the place of the channel's.
    pub(super) fn own_authority(&self) -> Option<&Authority> {
        self.options.as_ref().and_then(|told| told.authority.as_ref())
    }

    /// The head as the transport takes it.
    pub(super) fn to_request<'a>(&'a self, facts: &'a ChannelFacts, now: Instant) -> RequestHead<'a> {
        RequestHead {
            scheme: &facts.scheme,
            authority: self.authority(facts),
            path: &self.path,
            user_agent: &facts.user_agent,
            headers: self.headers(),
            deadline: self.deadline,
            timeout: self.deadline.map(|at| at.saturating_duration_since(now).max(Duration::from_nanos(1))),
        }
    }

    /// The metadata as a picker reads it.
    pub(super) fn metadata(&self) -> impl Metadata + '_ {
        Headers(self.headers())
    }

    fn headers(&self) -> &HeaderMap {
        self.headers.as_deref().unwrap_or(&NONE)
    }

    fn check_size(&self, limit: usize) -> Result<(), Status> {
        let size = header_list_size(self.headers());
        if size <= limit {
            return Ok(());
        }
        let text = format!("request metadata of {size} bytes is larger than max_metadata_size ({limit} bytes)");
        Err(LocalError::MetadataTooLarge { size, limit }.status(Code::ResourceExhausted, text))
    }
}

/// Asks one credential, which must not travel in the clear unless it says so.
async fn ask(credentials: &dyn CallCredentials, call: CallContext<'_>, is_secure: bool) -> Result<MetadataMap, Status> {
    if credentials.require_security() && !is_secure {
        let text = "call credentials need a secure channel, and this one is plaintext";
        return Err(LocalError::CallCredentials(text.into()).status(Code::Unauthenticated, text));
    }
    credentials.metadata(call).await.map_err(|status| {
        let mark = LocalError::CallCredentials(status.message().into());
        let status = thalweg_core::status::Status::new(core_code(status.code()), status.message());
        control_plane(status, mark)
    })
}

/// Has the caller no metadata beyond what every stub sends and what it can't decide? And the timeout, which the transport
/// writes anew.
fn look_over(headers: &HeaderMap) -> Result<(bool, Option<Duration>), Status> {
    let (mut is_plain, mut timeout) = (true, None);
    for (name, value) in headers {
        if name == GRPC_TIMEOUT {
            if timeout.is_none() {
                timeout = Some(parse_timeout(value)?);
            }
        } else if name != TE && name != USER_AGENT && !(name == CONTENT_TYPE && value == GRPC) {
            is_plain = false;
        }
    }
    Ok((is_plain, timeout))
}

fn earliest(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    a.into_iter().chain(b).min()
}

fn parse_timeout(value: &HeaderValue) -> Result<Duration, Status> {
    deadline::parse(value.as_bytes()).map_err(|error| malformed(&error.to_string()))
}

/// Headers that speak of a connection are no metadata: HTTP/2 forbids them (RFC 9113 section 8.2.2).
fn refuse_connection_headers(headers: &HeaderMap) -> Result<(), Status> {
    let Some(key) = headers.keys().find(|key| FORBIDDEN.contains(&key.as_str())) else { return Ok(()) };
    let key = key.as_str();
    Err(malformed(&format!("the metadata key {key:?} is not allowed: HTTP/2 has no such header")))
}

fn malformed(text: &str) -> Status {
    LocalError::MalformedRequest(Arc::from(text)).status(Code::Internal, text)
}
