//! The heads of requests and responses, and trailers, from decoded fields (RFC 9113 sections 8.2 and 8.3).
//!
//! Each builder takes the fields of one header block in their order. What breaks a rule makes the message malformed: a
//! stream error PROTOCOL_ERROR (section 8.1.1) whose text names the field.

#[cfg(test)]
mod tests;

use http::{
    HeaderName, HeaderValue, Method, StatusCode,
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST},
    uri::{Authority, PathAndQuery},
};

use crate::{
    error::{Code, Violation},
    fields::Fields,
    hpack::field::{Field, Scheme},
};

/// How many fields are kept, whatever their size: what a `HeaderMap` has room for.
const MOST_FIELDS: usize = 16_000;

/// What a stream begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RequestHead {
    /// `:method`.
    pub method: Method,
    /// `:scheme`; [`Scheme::Other`] for CONNECT, which has none.
    pub scheme: Scheme,
    /// `:path`; `/` for CONNECT, which has none.
    pub path: PathAndQuery,
    /// `:authority`, or `host` where it was not said; `None` if neither was, or cannot be said in the type.
    pub authority: Option<Authority>,
    /// All other fields, without `host`.
    pub fields: Fields,
}

/// What the answer to a request begins with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ResponseHead {
    /// `:status`.
    pub status: StatusCode,
    /// All other fields.
    pub fields: Fields,
}

/// Builds a [`RequestHead`].
#[derive(Debug)]
pub struct Request {
    method: Option<Method>,
    scheme: Option<Scheme>,
    path: Option<PathAndQuery>,
    authority: Option<Option<Authority>>,
    host: Option<HeaderValue>,
    list: List,
}

impl Request {
    /// A builder that keeps fields up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { method: None, scheme: None, path: None, authority: None, host: None, list: List::new("request", limit) }
    }

    /// Takes the next field and its size in bytes.
    #[inline]
    pub fn field(&mut self, field: &Field, size: usize) {
        let twice = match field {
            Field::Method(method) => self.method.replace(method.clone()).is_some(),
            Field::Scheme(scheme) => self.scheme.replace(*scheme).is_some(),
            Field::Path(Some(path)) => self.path.replace(path.clone()).is_some(),
            Field::Path(None) => return self.list.offend("a :path that is no path"),
            Field::Authority(authority) => self.authority.replace(authority.clone()).is_some(),
            Field::Header(name, value) if *name == HOST => return self.host(value, size),
            _ => return self.list.regular(field, size),
        };
        self.list.pseudo(field, size, twice);
    }

    /// `host` stands in for an `:authority` that is missing, and counts for nothing beside one (gRFC A41).
    #[cold]
    fn host(&mut self, host: &HeaderValue, size: usize) {
        self.list.begin(size);
        if self.host.replace(host.clone()).is_some() {
            self.list.offend("two host");
        }
    }

    /// What all fields say together.
    ///
    /// # Errors
    /// The rule that a field broke, or the field that is missing.
    pub fn finish(mut self) -> Result<Message<RequestHead>, Violation> {
        if self.method == Some(Method::CONNECT) {
            self.connect();
        }
        let missing = [
            (self.method.is_none(), "no :method"),
            (self.scheme.is_none(), "no :scheme"),
            (self.path.is_none(), "no :path"),
        ];
        if let Some((_, what)) = missing.into_iter().find(|(is_missing, _)| *is_missing) {
            self.list.offend(what);
        }
        if self.path.as_ref().is_some_and(|path| path.path() == "*") && self.method != Some(Method::OPTIONS) {
            self.list.offend("a :path of * without OPTIONS");
        }
        let authority = match self.authority {
            Some(authority) => authority,
            None => self.host.and_then(|host| Authority::try_from(host.as_bytes()).ok()),
        };
        self.list.finish(|fields| {
            Some(RequestHead { method: self.method?, scheme: self.scheme?, path: self.path?, authority, fields })
        })
    }

    /// CONNECT names an authority and nothing else (section 8.5).
    fn connect(&mut self) {
        if self.scheme.is_some() || self.path.is_some() {
            self.list.offend("CONNECT with a :scheme or a :path");
        }
        if self.authority.is_none() {
            self.list.offend("CONNECT without :authority");
        }
        self.scheme = Some(Scheme::Other);
        self.path = Some(PathAndQuery::from_static("/"));
    }
}

/// Builds a [`ResponseHead`].
#[derive(Debug)]
pub struct Response {
    status: Option<StatusCode>,
    list: List,
}

impl Response {
    /// A builder that keeps fields up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { status: None, list: List::new("response", limit) }
    }

    /// Takes the next field and its size in bytes.
    #[inline]
    pub fn field(&mut self, field: &Field, size: usize) {
        if let Field::Status(status) = field {
            let twice = self.status.replace(*status).is_some();
            self.list.pseudo(field, size, twice);
        } else {
            self.list.regular(field, size);
        }
    }

    /// What all fields say together.
    ///
    /// # Errors
    /// The rule that a field broke, or the field that is missing.
    #[inline]
    pub fn finish(mut self) -> Result<Message<ResponseHead>, Violation> {
        if self.status.is_none() {
            self.list.offend("no :status");
        }
        self.list.finish(|fields| Some(ResponseHead { status: self.status?, fields }))
    }
}

/// Builds trailers.
#[derive(Debug)]
pub struct Trailers {
    list: List,
}

impl Trailers {
    /// A builder that keeps fields up to `limit` bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { list: List::new("trailers", limit) }
    }

    /// Takes the next field and its size in bytes.
    #[inline]
    pub fn field(&mut self, field: &Field, size: usize) {
        self.list.regular(field, size);
    }

    /// What all fields say together.
    ///
    /// # Errors
    /// The rule that a field broke.
    #[inline]
    pub fn finish(self) -> Result<Message<Fields>, Violation> {
        self.list.finish(Some)
    }
}

/// A head, or trailers, with what the protocol reads out of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message<H> {
    /// What was built.
    pub head: H,
    /// The body that follows.
    pub body: Body,
}

/// What a head says of the body after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Body {
    /// `content-length`: how many bytes have to come.
    pub content_length: Option<u64>,
    /// Whether they are gRPC messages.
    pub is_grpc: bool,
}

/// The fields that are no pseudo-header fields, and what was wrong first.
#[derive(Debug)]
struct List {
    /// What the fields are of, for texts.
    what: &'static str,
    limit: usize,
    fields: Fields,
    /// Whether a regular field has come, after which no pseudo-header field may come.
    has_begun: bool,
    content_length: Option<u64>,
    violation: Option<Violation>,
}

impl List {
    #[inline]
    fn new(what: &'static str, limit: usize) -> Self {
        let fields = Fields::default();
        Self { what, limit, fields, has_begun: false, content_length: None, violation: None }
    }

    #[cold]
    fn offend(&mut self, broken: &str) {
        let text = || Violation::new(Code::PROTOCOL_ERROR, format!("malformed {}: {broken}", self.what));
        self.violation.get_or_insert_with(text);
    }

    /// Takes note of a pseudo-header field that has its place in this message.
    #[inline]
    fn pseudo(&mut self, field: &Field, size: usize, twice: bool) {
        self.count(size);
        if twice {
            self.offend(&format!("two {}", pseudo_name(field)));
        } else if self.has_begun {
            self.offend(&format!("{} after a regular field", pseudo_name(field)));
        }
    }

    /// Takes any field that is not a pseudo-header field of this message.
    #[inline]
    fn regular(&mut self, field: &Field, size: usize) {
        self.begin(size);
        match field {
            Field::ContentTypeGrpc => self.fields.is_grpc = true,
            Field::TeTrailers => self.fields.te_trailers = true,
            Field::GrpcStatus(status) => self.fields.grpc_status = Some(*status),
            Field::Header(name, value) => self.header(name, value),
            Field::ConnectionSpecific(name) => self.offend(&format!("a field of HTTP/1.1: {name}")),
            Field::Malformed(rule) => self.offend(rule),
            pseudo => self.offend(&format!("{} has no place here", pseudo_name(pseudo))),
        }
    }

    /// Takes note of a field after which no pseudo-header field may come.
    #[inline]
    fn begin(&mut self, size: usize) {
        self.count(size);
        self.has_begun = true;
    }

    #[inline]
    fn count(&mut self, size: usize) {
        self.fields.size += size;
        self.fields.cut |= self.fields.size > self.limit;
    }

    #[inline]
    fn header(&mut self, name: &HeaderName, value: &HeaderValue) {
        if *name == CONTENT_LENGTH {
            self.length(value);
        }
        self.fields.cut |= self.fields.list.len() >= MOST_FIELDS;
        if !self.fields.cut {
            self.fields.list.push((name.clone(), value.clone()));
        }
    }

    fn length(&mut self, value: &HeaderValue) {
        let is_number = !value.is_empty() && value.as_bytes().iter().all(u8::is_ascii_digit);
        let length = value.to_str().ok().filter(|_| is_number).and_then(|digits| digits.parse().ok());
        let Some(length) = length else { return self.offend("a content-length that is no number") };
        if self.content_length.replace(length).is_some_and(|before| before != length) {
            self.offend("two content-lengths that differ");
        }
    }

    #[inline]
    fn finish<H>(self, head: impl FnOnce(Fields) -> Option<H>) -> Result<Message<H>, Violation> {
        if let Some(violation) = self.violation {
            return Err(violation);
        }
        let body = Body { content_length: self.content_length, is_grpc: is_grpc(&self.fields) };
        let incomplete = || Violation::new(Code::PROTOCOL_ERROR, format!("malformed {}: incomplete", self.what));
        let head = head(self.fields).ok_or_else(incomplete)?;
        Ok(Message { head, body })
    }
}

/// Also `application/grpc+proto` and its like are gRPC.
#[inline]
fn is_grpc(fields: &Fields) -> bool {
    let says_so = |(name, value): &(HeaderName, HeaderValue)| {
        *name == CONTENT_TYPE && value.as_bytes().starts_with(b"application/grpc")
    };
    fields.is_grpc || fields.list.iter().any(says_so)
}

fn pseudo_name(field: &Field) -> &'static str {
    match field {
        Field::Method(_) => ":method",
        Field::Scheme(_) => ":scheme",
        Field::Path(_) => ":path",
        Field::Authority(_) => ":authority",
        Field::Status(_) => ":status",
        Field::UnknownPseudo
        | Field::ContentTypeGrpc
        | Field::TeTrailers
        | Field::GrpcStatus(_)
        | Field::Header(..)
        | Field::ConnectionSpecific(_)
        | Field::Malformed(_) => "an unknown pseudo-header field",
    }
}
