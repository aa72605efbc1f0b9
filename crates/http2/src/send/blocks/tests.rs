//! Tests of header blocks: that they are short, and that the peer understands them whatever was sent before.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, uri::PathAndQuery};

use super::{Blocks, KEPT};
use crate::{
    hpack::{decoder::Decoder, field::Field},
    send::RequestHead,
};

/// The fields of a block, as the peer reads them.
fn read(peer: &mut Decoder, block: &[u8]) -> Vec<String> {
    let mut fields = Vec::new();
    let mut each = |field: &Field, _| {
        fields.push(match field {
            Field::Method(method) => format!("{method}"),
            Field::Path(Some(path)) => path.to_string(),
            Field::Authority(Some(authority)) => authority.to_string(),
            Field::Header(name, value) if value.is_sensitive() => format!("{name}: {value:?} (sensitive)"),
            Field::Header(name, value) => format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())),
            other => format!("{other:?}"),
        });
    };
    peer.decode(block, &mut each).unwrap();
    fields
}

struct Call {
    path: PathAndQuery,
    authority: String,
    user_agent: HeaderValue,
    metadata: HeaderMap,
}

impl Call {
    fn new(path: &str) -> Self {
        Self {
            path: path.parse().unwrap(),
            authority: "example.com:50051".to_owned(),
            user_agent: HeaderValue::from_static("thalweg/0.1"),
            metadata: HeaderMap::new(),
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.metadata.append(HeaderName::from_static(name), value.parse().unwrap());
        self
    }

    fn head(&self) -> RequestHead<'_> {
        RequestHead {
            path: &self.path,
            https: false,
            authority: &self.authority,
            timeout: None,
            user_agent: &self.user_agent,
            metadata: &self.metadata,
        }
    }
}

fn fields(entries: &[(&'static str, &str)]) -> HeaderMap {
    entries.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
}

const EACH: [&str; 7] = [
    "POST",
    "Scheme(Http)",
    "/echo.Echo/Say",
    "example.com:50051",
    "TeTrailers",
    "ContentTypeGrpc",
    "user-agent: thalweg/0.1",
];

#[test]
fn from_the_third_call_on_a_request_is_seven_bytes() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let call = Call::new("/echo.Echo/Say");
    let mut lengths = Vec::new();
    for _ in 0..5 {
        let block = blocks.request(&call.head());
        lengths.push(block.len());
        assert_eq!(read(&mut peer, block), EACH);
    }
    assert_eq!(lengths[2..], [7, 7, 7]);
}

#[test]
fn a_timeout_follows_what_is_kept_and_changes_no_table() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let call = Call::new("/echo.Echo/Say");
    (0..3).for_each(|_| assert_eq!(read(&mut peer, blocks.request(&call.head())), EACH));
    let generation = blocks.encoder.generation();
    for timeout in ["1S", "99999999m", &"9".repeat(200)] {
        let head = RequestHead { timeout: Some(timeout.as_bytes()), ..call.head() };
        assert_eq!(read(&mut peer, blocks.request(&head))[7..], [format!("grpc-timeout: {timeout}")]);
    }
    assert_eq!(blocks.encoder.generation(), generation);
}

#[test]
fn a_timeout_among_the_metadata_is_sent_unless_another_is_given() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let call = Call::new("/echo.Echo/Say").with("grpc-timeout", "5S");
    assert_eq!(read(&mut peer, blocks.request(&call.head()))[7..], ["grpc-timeout: 5S"]);
    let head = RequestHead { timeout: Some(b"1S"), ..call.head() };
    assert_eq!(read(&mut peer, blocks.request(&head))[7..], ["grpc-timeout: 1S"]);
}

#[test]
fn metadata_that_say_what_each_call_says_cost_nothing() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let call = Call::new("/echo.Echo/Say").with("te", "trailers").with("content-type", "application/grpc");
    (0..4).for_each(|_| assert_eq!(read(&mut peer, blocks.request(&call.head())), EACH));
    assert_eq!(blocks.request(&call.head()).len(), 7);
}

#[test]
fn metadata_are_sent_but_for_those_of_a_connection() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let call = Call::new("/echo.Echo/Say")
        .with("authorization", "secret")
        .with("connection", "close")
        .with("keep-alive", "1")
        .with("te", "gzip")
        .with("transfer-encoding", "chunked")
        .with("x-twice", "a")
        .with("x-twice", "b");
    let sent = read(&mut peer, blocks.request(&call.head()));
    assert_eq!(sent[..7], EACH);
    assert_eq!(sent[7..], ["authorization: secret", "x-twice: a", "x-twice: b"]);
}

#[test]
fn sensitive_metadata_are_never_indexed() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let mut call = Call::new("/echo.Echo/Say").with("authorization", "secret");
    call.metadata.values_mut().for_each(|value| value.set_sensitive(true));
    for _ in 0..3 {
        assert_eq!(read(&mut peer, blocks.request(&call.head()))[7..], ["authorization: Sensitive (sensitive)"]);
    }
}

#[test]
fn another_content_type_replaces_the_usual_one() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let (plain, proto) =
        (Call::new("/echo.Echo/Say"), Call::new("/echo.Echo/Say").with("content-type", "application/grpc+proto"));
    for _ in 0..4 {
        assert_eq!(read(&mut peer, blocks.request(&plain.head())), EACH);
        let sent = read(&mut peer, blocks.request(&proto.head()));
        assert_eq!(sent[5], "content-type: application/grpc+proto");
    }
    assert_eq!(blocks.request(&proto.head()).len(), 7);
}

#[test]
fn a_plain_answer_is_two_bytes_and_one() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let (headers, trailers) = (fields(&[("content-type", "application/grpc")]), fields(&[("grpc-status", "0")]));
    for round in 0..4 {
        let block = blocks.response(StatusCode::OK, &headers);
        assert!(round == 0 || block.len() == 2);
        assert_eq!(read(&mut peer, block), ["Status(200)", "ContentTypeGrpc"]);
        let block = blocks.trailers(&trailers);
        assert!(round == 0 || block.len() == 1);
        assert_eq!(read(&mut peer, block), ["GrpcStatus(0)"]);
    }
    assert_eq!(blocks.response(StatusCode::OK, &HeaderMap::new()).len(), 2);
}

#[test]
fn an_answer_that_says_more_is_sent_as_it_is() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let more = fields(&[("content-type", "application/grpc"), ("x-a", "1"), ("upgrade", "h3")]);
    let sent = read(&mut peer, blocks.response(StatusCode::OK, &more));
    assert_eq!(sent, ["Status(200)", "ContentTypeGrpc", "x-a: 1"]);
    let sent = read(&mut peer, blocks.response(StatusCode::UNSUPPORTED_MEDIA_TYPE, &HeaderMap::new()));
    assert_eq!(sent, ["Status(415)"]);
    let failed = fields(&[("grpc-status", "5"), ("grpc-message", "not here")]);
    assert_eq!(read(&mut peer, blocks.trailers(&failed)), ["GrpcStatus(5)", "grpc-message: not here"]);
    assert!(read(&mut peer, blocks.trailers(&HeaderMap::new())).is_empty());
}

#[test]
fn a_smaller_table_is_told_before_anything_kept_is_sent() {
    let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
    let call = Call::new("/echo.Echo/Say");
    (0..3).for_each(|_| assert_eq!(read(&mut peer, blocks.request(&call.head())), EACH));
    for size in [0, 100, 4096, 1 << 30] {
        blocks.set_max_table_size(size);
        for _ in 0..4 {
            assert_eq!(read(&mut peer, blocks.request(&call.head())), EACH, "a table of {size} bytes");
        }
    }
    assert_eq!(blocks.request(&call.head()).len(), 7);
}

#[test]
fn the_peer_understands_any_mixture_of_calls_and_answers() {
    for seed in 0..20 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut blocks, mut peer) = (Blocks::new(), Decoder::new(4096));
        let paths: Vec<_> = (0..KEPT + 20).map(|n| format!("/some.package.Service{}/Method{n}", n / 5)).collect();
        for _ in 0..2_000 {
            match random.u32(..10) {
                0..7 => {
                    let path = &paths[random.usize(..random.clone().usize(1..paths.len()))];
                    let mut call = Call::new(path);
                    if random.u32(..4) == 0 {
                        call = call.with("x-request", &random.u64(..).to_string());
                    }
                    let head = RequestHead { https: random.bool(), ..call.head() };
                    let sent = read(&mut peer, blocks.request(&head));
                    assert!(sent[2] == *path && sent.len() == 7 + call.metadata.len(), "seed {seed}: {sent:?}");
                }
                7 => assert_eq!(read(&mut peer, blocks.response(StatusCode::OK, &HeaderMap::new())).len(), 2),
                8 => {
                    let status = random.u32(..4).to_string();
                    let block = blocks.trailers(&fields(&[("grpc-status", &status)]));
                    assert_eq!(read(&mut peer, block), [format!("GrpcStatus({status})")]);
                }
                _ if random.u32(..50) == 0 => blocks.set_max_table_size(random.usize(..6_000)),
                _ => {}
            }
        }
        assert!(blocks.requests.len() <= KEPT);
    }
}

#[test]
fn the_size_of_a_request_is_that_of_its_fields() {
    let call = Call::new("/echo.Echo/Say").with("x-a", "1").with("te", "trailers").with("connection", "close");
    let head = RequestHead { timeout: Some(b"1S"), ..call.head() };
    let mut blocks = Blocks::new();
    let mut size = 0;
    Decoder::new(4096).decode(blocks.request(&head), &mut |_, each| size += each).unwrap();
    assert_eq!(head.size(), size);
}
