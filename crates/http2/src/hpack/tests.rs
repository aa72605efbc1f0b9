//! Tests of HPACK as a whole: the RFC's examples, and encoders talking to decoders.

use super::{
    decoder::Decoder,
    encoder::{Encoder, Indexing},
    field::{Field, Scheme},
};

/// A field as its text.
fn text(field: &Field) -> (String, String) {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    match field {
        Field::Method(method) => pair(":method", method.as_str()),
        Field::Scheme(Scheme::Http) => pair(":scheme", "http"),
        Field::Scheme(Scheme::Https) => pair(":scheme", "https"),
        Field::Path(Some(path)) => pair(":path", path.as_str()),
        Field::Authority(Some(authority)) => pair(":authority", authority.as_str()),
        Field::Status(status) => pair(":status", status.as_str()),
        Field::ContentTypeGrpc => pair("content-type", "application/grpc"),
        Field::TeTrailers => pair("te", "trailers"),
        Field::GrpcStatus(status) => pair("grpc-status", &status.to_string()),
        Field::Header(name, value) => pair(name.as_str(), value.to_str().unwrap()),
        other => panic!("{other:?}"),
    }
}

fn decoded(decoder: &mut Decoder, block: &[u8]) -> Vec<(String, String)> {
    let mut fields = vec![];
    let mut each = |field: &Field, size: usize| {
        let (name, value) = text(field);
        assert_eq!(size, name.len() + value.len() + 32);
        fields.push((name, value));
    };
    decoder.decode(block, &mut each).unwrap();
    fields
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.bytes().filter(|byte| *byte != b' ').collect::<Vec<_>>();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Plays the blocks of one of the RFC's connections, and compares each with its fields.
fn play(table: usize, blocks: &[(&str, &[(&str, &str)])]) {
    let mut decoder = Decoder::new(table);
    for (hex, fields) in blocks {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>();
        assert_eq!(decoded(&mut decoder, &bytes(hex)), fields);
    }
}

type Fields<'a> = &'a [(&'a str, &'a str)];

const REQUESTS: [Fields<'_>; 3] = [
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")],
    &[
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        (":authority", "www.example.com"),
        ("cache-control", "no-cache"),
    ],
    &[
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ],
];

const RESPONSES: [Fields<'_>; 3] = [
    &[
        (":status", "302"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "307"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("location", "https://www.example.com"),
    ],
    &[
        (":status", "200"),
        ("cache-control", "private"),
        ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
        ("location", "https://www.example.com"),
        ("content-encoding", "gzip"),
        ("set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"),
    ],
];

/// RFC 7541 section C.4.
const HUFFMAN_REQUESTS: [&str; 3] = [
    "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
    "8286 84be 5886 a8eb 1064 9cbf",
    "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
];

/// RFC 7541 section C.6.
const HUFFMAN_RESPONSES: [&str; 3] = [
    "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b \
     97c8 e9ae 82ae 43d3",
    "4883 640e ffc1 c0bf",
    "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf \
     cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
];

#[test]
fn single_fields_of_the_rfc_are_read() {
    // RFC 7541 section C.2.
    play(
        4096,
        &[("400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572", &[("custom-key", "custom-header")])],
    );
    play(4096, &[("040c 2f73 616d 706c 652f 7061 7468", &[(":path", "/sample/path")])]);
    play(4096, &[("1008 7061 7373 776f 7264 0673 6563 7265 74", &[("password", "secret")])]);
    play(4096, &[("82", &[(":method", "GET")])]);
}

#[test]
fn requests_of_the_rfc_are_read() {
    // RFC 7541 section C.3.
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    for blocks in [plain, HUFFMAN_REQUESTS] {
        play(4096, &std::array::from_fn::<_, 3, _>(|at| (blocks[at], REQUESTS[at])));
    }
}

#[test]
fn responses_of_the_rfc_are_read_through_a_table_that_evicts() {
    // RFC 7541 section C.5.
    let plain = [
        "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3120 474d 546e \
         1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "4803 3330 37c1 c0bf",
        "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970 7738 666f 6f3d \
         4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 \
         7369 6f6e 3d31",
    ];
    for blocks in [plain, HUFFMAN_RESPONSES] {
        play(256, &std::array::from_fn::<_, 3, _>(|at| (blocks[at], RESPONSES[at])));
    }
}

#[test]
fn our_requests_are_the_bytes_of_the_rfc() {
    let mut encoder = Encoder::new();
    for (fields, expected) in REQUESTS.iter().zip(HUFFMAN_REQUESTS) {
        let mut out = vec![];
        encoder.begin(&mut out);
        for (name, value) in *fields {
            encoder.field(&mut out, name.as_bytes(), value.as_bytes(), Indexing::Always);
        }
        assert_eq!(out, bytes(expected));
    }
}

#[test]
fn random_connections_come_back_as_they_were_said() {
    let names =
        [":path", "content-type", "te", "grpc-status", "authorization", "user-agent", "x-a", "x-b", "grpc-message"];
    let values =
        ["", "0", "/a.B/C", "application/grpc", "trailers", "Bearer \u{7e}\u{7e}", "a value that is longer than most"];
    let kinds = [Indexing::Always, Indexing::Second, Indexing::Never, Indexing::Not];
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(4096));
        for _ in 0..60 {
            while random.u8(..10) == 0 {
                encoder.set_max_size(random.usize(..6000));
            }
            let (mut out, mut said) = (vec![], vec![]);
            encoder.begin(&mut out);
            for _ in 0..random.usize(..12) {
                let name = random.choice(names).unwrap();
                let value = match random.u8(..4) {
                    _ if name == ":path" => "/x".to_owned(),
                    _ if name == "te" => "trailers".to_owned(),
                    0 => random.u32(..).to_string().repeat(random.usize(1..40)),
                    _ => (*random.choice(&values).unwrap()).to_owned(),
                };
                encoder.field(&mut out, name.as_bytes(), value.as_bytes(), *random.choice(&kinds).unwrap());
                said.push((name.to_owned(), value));
            }
            assert_eq!(decoded(&mut decoder, &out), said, "seed {seed}");
        }
    }
}

#[test]
fn a_block_sent_again_within_a_generation_says_the_same() {
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (mut encoder, mut decoder) = (Encoder::new(), Decoder::new(4096));
        let mut kept: Option<(u64, Vec<u8>)> = None;
        let said = [("x-a", "1"), (":path", "/a.B/C"), ("content-type", "application/grpc")];
        for _ in 0..100 {
            if random.u8(..8) == 0 {
                encoder.set_max_size(random.usize(..300));
            }
            if random.bool() {
                let (mut out, value) = (vec![], random.u8(..20).to_string());
                encoder.begin(&mut out);
                encoder.field(&mut out, b"x-b", value.as_bytes(), Indexing::Always);
                assert_eq!(decoded(&mut decoder, &out), [("x-b".to_owned(), value)]);
                continue;
            }
            let block = match &kept {
                Some((generation, block)) if *generation == encoder.generation() => block.clone(),
                _ => {
                    let (mut out, before) = (vec![], encoder.generation());
                    encoder.begin(&mut out);
                    for (name, value) in said {
                        encoder.field(&mut out, name.as_bytes(), value.as_bytes(), Indexing::Always);
                    }
                    kept = (encoder.generation() == before).then(|| (before, out.clone()));
                    out
                }
            };
            let fields = decoded(&mut decoder, &block);
            assert!(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(said), "seed {seed}");
        }
    }
}
