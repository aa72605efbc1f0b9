//! The examples of RFC 7541, appendix C, and what is wrong on the wire.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn fields(headers: &Headers) -> Vec<(&str, &str)> {
    let text = |bytes| std::str::from_utf8(bytes).unwrap();
    headers.0.iter().map(|(name, value)| (text(name), text(value))).collect()
}

fn read(decoder: &mut Decoder, hex: &str, expected: &[(&str, &str)]) {
    assert_eq!(fields(&decoder.decode(&bytes(hex)).unwrap()), expected);
}

#[test]
fn requests_with_plain_and_with_huffman_strings_are_read() {
    let first = [(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "www.example.com")];
    let second = [&first[..], &[("cache-control", "no-cache")]].concat();
    let third = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/index.html"),
        (":authority", "www.example.com"),
        ("custom-key", "custom-value"),
    ];
    let mut plain = Decoder::default();
    read(&mut plain, "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", &first);
    read(&mut plain, "8286 84be 5808 6e6f 2d63 6163 6865", &second);
    read(&mut plain, "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65", &third);
    let mut huffman = Decoder::default();
    read(&mut huffman, "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", &first);
    read(&mut huffman, "8286 84be 5886 a8eb 1064 9cbf", &second);
    read(&mut huffman, "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", &third);
    assert_eq!((plain.entries(), huffman.entries()), (3, 3));
}

#[test]
fn a_small_table_evicts_its_oldest_entries() {
    let mut decoder = Decoder::new(256);
    let date = "Mon, 21 Oct 2013 20:13:21 GMT";
    let location = ("location", "https://www.example.com");
    read(
        &mut decoder,
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6
         2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        &[(":status", "302"), ("cache-control", "private"), ("date", date), location],
    );
    read(
        &mut decoder,
        "4883 640e ffc1 c0bf",
        &[(":status", "307"), ("cache-control", "private"), ("date", date), location],
    );
    assert_eq!(decoder.entries(), 4);
    assert_eq!(decoder.decode(&[0x80 | 66]), Err(HpackError::Index(66)));
}

#[test]
fn what_the_encoder_writes_the_decoder_reads_whatever_the_lengths() {
    let long = "x".repeat(70_000);
    for length in [0, 1, 126, 127, 128, 254, 255, 16_510, 16_511, 70_000] {
        let fields = [("name", &long[..length]), (&long[..length.max(1)], "value")];
        let mut decoder = Decoder::default();
        assert_eq!(self::fields(&decoder.decode(&encode(&fields)).unwrap()), fields);
        assert_eq!(decoder.entries(), 0);
    }
}

#[test]
fn malformed_blocks_are_errors_by_name() {
    let error = |bytes: &[u8]| Decoder::default().decode(bytes).unwrap_err();
    assert_eq!(error(&[0x80]), HpackError::Index(0));
    assert_eq!(error(&[0xff]), HpackError::Truncated);
    assert_eq!(error(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), HpackError::Number);
    assert_eq!(error(&[0x00, 0x05, b'a']), HpackError::Truncated);
    assert_eq!(error(&[0x3f, 0xe2, 0x1f]), HpackError::TableSize(4097));
    assert_eq!(error(&[0x00, 0x81, 0x00, 0x00]), HpackError::Huffman);
    assert_eq!(error(&[0x00, 0x84, 0xff, 0xff, 0xff, 0xff, 0x00]), HpackError::Huffman);
}

#[test]
fn headers_are_looked_up_by_name() {
    let headers = Decoder::default().decode(&encode(&[("a", "1"), ("b", "2"), ("a", "3")])).unwrap();
    assert_eq!((headers.get("a"), headers.get("c")), (Some("1"), None));
    assert_eq!(headers.all("a").collect::<Vec<_>>(), ["1", "3"]);
}
