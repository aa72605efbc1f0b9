//! Header blocks one after the other: what they say is encoded again, in whatever way, and says the same then.
//!
//! A byte with the length precedes each block. The length 255 stands for a new size of our encoder's table instead, told by
//! the next byte.

use thalweg_http2::hpack::{
    DEFAULT_TABLE_SIZE,
    decoder::Decoder,
    encoder::{Encoder, Indexing},
    field::{Field, Scheme},
};

const INDEXING: [Indexing; 4] = [Indexing::Always, Indexing::Second, Indexing::Never, Indexing::Not];
/// What a field counts beyond its name and its value, in bytes.
const OVERHEAD: usize = 32;

pub(super) fn run(mut input: &[u8]) {
    let mut peers = Decoder::new(DEFAULT_TABLE_SIZE);
    let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(DEFAULT_TABLE_SIZE));
    while let [len, rest @ ..] = input {
        if *len == u8::MAX {
            let Some((size, rest)) = rest.split_first() else { return };
            encoder.set_max_size(usize::from(*size) * 32);
            input = rest;
            continue;
        }
        let (block, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        let Some(fields) = decode(&mut peers, block) else { return };
        encode_again(&fields, usize::from(*len), &mut encoder, &mut decoder);
        input = rest;
    }
}

/// The fields of a block, unless it ends the connection.
fn decode(decoder: &mut Decoder, block: &[u8]) -> Option<Vec<Field>> {
    let mut fields = vec![];
    let outcome = decoder.decode(block, &mut |field, size| {
        if let Some((name, value)) = text(field) {
            assert!(size >= OVERHEAD, "{name:?}: {size}");
            assert!(!matches!(field, Field::Header(..)) || size == name.len() + value.len() + OVERHEAD, "{name:?}");
        }
        fields.push(field.clone());
    });
    assert!(fields.len() <= block.len(), "each field takes a byte");
    outcome.ok().map(|()| fields)
}

fn encode_again(fields: &[Field], choice: usize, encoder: &mut Encoder, decoder: &mut Decoder) {
    let mut block = vec![];
    encoder.begin(&mut block);
    let fields: Vec<_> = fields.iter().filter_map(text).collect();
    for ((name, value), at) in fields.iter().zip(choice..) {
        encoder.field(&mut block, name, value, INDEXING[at % INDEXING.len()]);
    }
    let again = decode(decoder, &block).expect("what was encoded can be decoded");
    assert_eq!(again.iter().filter_map(text).collect::<Vec<_>>(), fields);
}

/// Name and value of a field that can be said again.
fn text(field: &Field) -> Option<(Vec<u8>, Vec<u8>)> {
    let (name, value): (&str, &[u8]) = match field {
        Field::Method(method) => (":method", method.as_str().as_bytes()),
        Field::Scheme(Scheme::Http) => (":scheme", b"http"),
        Field::Scheme(Scheme::Https) => (":scheme", b"https"),
        Field::Scheme(Scheme::Other) => (":scheme", b"other"),
        Field::Path(path) => (":path", path.as_ref()?.as_str().as_bytes()),
        Field::Authority(authority) => (":authority", authority.as_ref()?.as_str().as_bytes()),
        Field::Status(status) => return Some((b":status".to_vec(), status.as_str().into())),
        Field::ContentTypeGrpc => ("content-type", b"application/grpc"),
        Field::TeTrailers => ("te", b"trailers"),
        Field::GrpcStatus(status) => return Some((b"grpc-status".to_vec(), status.to_string().into())),
        Field::Header(name, value) => (name.as_str(), value.as_bytes()),
        Field::ConnectionSpecific(name) if name.contains(' ') => ("te", b"chunked"),
        Field::ConnectionSpecific(name) => (name, b""),
        Field::UnknownPseudo | Field::Malformed(_) => return None,
    };
    Some((name.as_bytes().to_vec(), value.to_vec()))
}
