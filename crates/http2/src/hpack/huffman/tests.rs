//! Tests of Huffman's code in both directions.

use super::*;

fn encoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![];
    encode(bytes, &mut out);
    assert_eq!(out.len(), encoded_len(bytes));
    out
}

fn decoded(code: &[u8]) -> Result<Vec<u8>, Violation> {
    let mut out = vec![];
    decode(code, &mut out).map(|()| out)
}

#[test]
fn the_lengths_make_a_complete_code() {
    assert_eq!(LAYOUT.limit[LONGEST], 1 << LONGEST);
    assert_eq!(LAYOUT.codes[END], (1 << 30) - 1);
}

#[test]
fn codes_are_those_of_the_rfc() {
    // A few of appendix B, of every kind of length.
    let known = [(b'0', 0x0), (b'a', 0x3), (b' ', 0x14), (b'&', 0xf8), (b'Z', 0xfd), (b'!', 0x3f8), (b'|', 0x7fc)];
    let rare = [(b'~', 0x1ffd), (0, 0x1ff8), (b'\\', 0x7fff0), (128, 0xfffe6), (10, 0x3fff_fffc), (255, 0x3ff_ffee)];
    for (symbol, code) in known.into_iter().chain(rare) {
        assert_eq!(LAYOUT.codes[usize::from(symbol)], code, "{symbol}");
    }
}

#[test]
fn the_examples_of_the_rfc_read_and_write() {
    // RFC 7541 sections C.4 and C.6.
    let host = [0xf1, 0xe3, 0xc2, 0xe5, 0xf2, 0x3a, 0x6b, 0xa0, 0xab, 0x90, 0xf4, 0xff];
    let cache = [0xa8, 0xeb, 0x10, 0x64, 0x9c, 0xbf];
    let date = "Mon, 21 Oct 2013 20:13:21 GMT";
    let date_code = [
        0xd0, 0x7a, 0xbe, 0x94, 0x10, 0x54, 0xd4, 0x44, 0xa8, 0x20, 0x05, 0x95, 0x04, 0x0b, 0x81, 0x66, 0xe0, 0x82,
        0xa6, 0x2d, 0x1b, 0xff,
    ];
    for (text, code) in [("www.example.com", &host[..]), ("no-cache", &cache), (date, &date_code)] {
        assert_eq!(encoded(text.as_bytes()), code);
        assert_eq!(decoded(code).unwrap(), text.as_bytes());
    }
}

#[test]
fn every_symbol_comes_back_alone_and_between_others() {
    for symbol in 0..=255 {
        for bytes in [vec![symbol], vec![b'a', symbol, b'b'], vec![symbol; 9], vec![255, symbol, 10, symbol]] {
            assert_eq!(decoded(&encoded(&bytes)).unwrap(), bytes, "{symbol}");
        }
    }
}

#[test]
fn random_bytes_come_back() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2_000 {
        let len = random.usize(..80);
        let bytes = std::iter::repeat_with(|| random.u8(..)).take(len).collect::<Vec<_>>();
        assert_eq!(decoded(&encoded(&bytes)).unwrap(), bytes);
    }
}

#[test]
fn what_decodes_is_what_would_have_been_encoded() {
    let mut random = fastrand::Rng::with_seed(8);
    let mut valid = 0;
    for _ in 0..20_000 {
        let len = random.usize(..6);
        let code = std::iter::repeat_with(|| random.u8(..)).take(len).collect::<Vec<_>>();
        if let Ok(bytes) = decoded(&code) {
            valid += 1;
            assert_eq!(encoded(&bytes), code);
        }
    }
    assert!(valid > 100);
}

#[test]
fn padding_is_less_than_a_byte() {
    let error = decoded(&[0xff]).unwrap_err();
    assert_eq!(error.text, "HPACK: a Huffman string has a byte of padding or ends within a symbol");
    let mut code = encoded(b"no-cache");
    code.push(0xff);
    assert!(decoded(&code).is_err());
}

#[test]
fn padding_is_all_ones() {
    // `a` is 00011; the rest of the byte must be 111.
    assert_eq!(decoded(&[0b0001_1111]).unwrap(), b"a");
    for bad in [0b0001_1000, 0b0001_1101, 0b0001_1110] {
        assert_eq!(decoded(&[bad]).unwrap_err().text, "HPACK: the padding of a Huffman string is not all ones");
    }
}

#[test]
fn a_string_that_spells_out_its_end_is_refused() {
    assert_eq!(decoded(&[0xff; 5]).unwrap_err().text, "HPACK: a Huffman string spells out its end");
}
