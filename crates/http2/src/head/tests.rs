//! What makes a message malformed, what of it is kept, and what is read out of it.

use super::*;

fn header(name: &'static str, value: &'static str) -> Field {
    Field::Header(HeaderName::from_static(name), HeaderValue::from_static(value))
}

fn path() -> Field {
    Field::Path(Some(PathAndQuery::from_static("/a.B/C")))
}

fn post() -> Vec<Field> {
    vec![Field::Method(Method::POST), Field::Scheme(Scheme::Http), path()]
}

/// `fields` after those that every request has.
fn posting(fields: &[Field]) -> Vec<Field> {
    [post(), fields.to_vec()].concat()
}

fn request(fields: &[Field]) -> Result<Message<RequestHead>, Violation> {
    let mut request = Request::new(1000);
    fields.iter().for_each(|field| request.field(field, 40));
    request.finish()
}

fn response(fields: &[Field]) -> Result<Message<ResponseHead>, Violation> {
    let mut response = Response::new(1000);
    fields.iter().for_each(|field| response.field(field, 40));
    response.finish()
}

fn trailers(fields: &[Field]) -> Result<Message<Fields>, Violation> {
    let mut trailers = Trailers::new(1000);
    fields.iter().for_each(|field| trailers.field(field, 40));
    trailers.finish()
}

/// The text of what was wrong, which is always PROTOCOL_ERROR.
fn text<H>(message: Result<Message<H>, Violation>) -> String {
    let violation = message.err().expect("it is malformed");
    assert_eq!(violation.code, Code::PROTOCOL_ERROR);
    violation.text.into_owned()
}

#[test]
fn a_request_of_grpc_is_read_in_full() {
    let authority = Authority::from_static("localhost:1");
    let fields = [
        Field::Authority(Some(authority.clone())),
        Field::TeTrailers,
        Field::ContentTypeGrpc,
        header("grpc-timeout", "1S"),
    ];
    let message = request(&posting(&fields)).unwrap();
    let head = message.head;
    assert_eq!((head.method, head.scheme, head.path.as_str()), (Method::POST, Scheme::Http, "/a.B/C"));
    assert_eq!(head.authority, Some(authority));
    assert!(head.fields.is_grpc && head.fields.te_trailers && !head.fields.cut);
    assert_eq!((head.fields.get("grpc-timeout").unwrap().as_bytes(), head.fields.size), (&b"1S"[..], 7 * 40));
    assert_eq!(message.body, Body { content_length: None, is_grpc: true });
}

#[test]
fn an_authority_that_the_type_cannot_say_is_no_offence() {
    assert_eq!(request(&posting(&[Field::Authority(None)])).unwrap().head.authority, None);
}

#[test]
fn a_host_is_the_authority_where_there_is_none_and_nothing_where_there_is_one() {
    let said = || Field::Authority(Some(Authority::from_static("said:1")));
    let host = || header("host", "other:2");
    let cases = [
        (vec![host()], Some("other:2")),
        (vec![said(), host()], Some("said:1")),
        (vec![Field::Authority(None), host()], None),
        (vec![header("host", "no/authority")], None),
        (vec![header("host", "")], None),
    ];
    for (fields, expected) in cases {
        let head = request(&posting(&fields)).unwrap().head;
        assert_eq!(head.authority.as_ref().map(Authority::as_str), expected, "{fields:?}");
        assert_eq!((head.fields.get("host"), head.fields.size), (None, (3 + fields.len()) * 40));
    }
}

#[test]
fn a_malformed_request_is_told_by_the_field_that_is_wrong() {
    let without = |index: usize| {
        let mut fields = post();
        fields.remove(index);
        fields
    };
    let star = || {
        let mut fields = post();
        fields[2] = Field::Path(Some(PathAndQuery::from_static("*")));
        fields
    };
    let connect = |fields: &[Field]| [vec![Field::Method(Method::CONNECT)], fields.to_vec()].concat();
    let cases = [
        (without(0), "no :method"),
        (without(1), "no :scheme"),
        (without(2), "no :path"),
        (posting(&[path()]), "two :path"),
        (posting(&[Field::Method(Method::POST)]), "two :method"),
        (posting(&[Field::Scheme(Scheme::Https)]), "two :scheme"),
        (posting(&[Field::Authority(None), Field::Authority(None)]), "two :authority"),
        (posting(&[header("a", "b"), Field::Authority(None)]), ":authority after a regular field"),
        (posting(&[header("host", "a"), header("host", "a")]), "two host"),
        (posting(&[header("host", "a"), Field::Authority(None)]), ":authority after a regular field"),
        (posting(&[Field::Path(None)]), "a :path that is no path"),
        (star(), "a :path of * without OPTIONS"),
        (posting(&[Field::Status(StatusCode::OK)]), ":status has no place here"),
        (posting(&[Field::UnknownPseudo]), "an unknown pseudo-header field has no place here"),
        (posting(&[Field::ConnectionSpecific("connection")]), "a field of HTTP/1.1: connection"),
        (posting(&[Field::Malformed("a field without a name")]), "a field without a name"),
        (posting(&[header("content-length", "")]), "a content-length that is no number"),
        (posting(&[header("content-length", "-1")]), "a content-length that is no number"),
        (posting(&[header("content-length", "99999999999999999999")]), "a content-length that is no number"),
        (posting(&[header("content-length", "1"), header("content-length", "2")]), "two content-lengths that differ"),
        (connect(&[]), "CONNECT without :authority"),
        (connect(&[Field::Authority(None), path()]), "CONNECT with a :scheme or a :path"),
    ];
    for (fields, broken) in cases {
        assert_eq!(text(request(&fields)), format!("malformed request: {broken}"));
    }
}

#[test]
fn connect_needs_nothing_but_an_authority() {
    let head = request(&[Field::Method(Method::CONNECT), Field::Authority(None)]).unwrap().head;
    assert_eq!((head.method, head.scheme, head.path.as_str()), (Method::CONNECT, Scheme::Other, "/"));
}

#[test]
fn a_response_has_one_status_and_no_other_pseudo_header_field() {
    let ok = Field::Status(StatusCode::OK);
    let message = response(&[ok.clone(), header("content-type", "application/grpc+proto")]).unwrap();
    assert_eq!((message.head.status, message.body.is_grpc, message.head.fields.is_grpc), (StatusCode::OK, true, false));
    assert_eq!(text(response(&[])), "malformed response: no :status");
    assert_eq!(text(response(&[ok.clone(), ok.clone()])), "malformed response: two :status");
    assert_eq!(text(response(&[ok, path()])), "malformed response: :path has no place here");
}

#[test]
fn trailers_have_no_pseudo_header_field() {
    let message = trailers(&[Field::GrpcStatus(5), header("grpc-message", "gone")]).unwrap();
    assert_eq!((message.head.grpc_status, message.head.list.len()), (Some(5), 1));
    let status = Field::Status(StatusCode::OK);
    assert_eq!(text(trailers(&[status])), "malformed trailers: :status has no place here");
}

#[test]
fn the_same_content_length_may_come_twice() {
    let length = header("content-length", "12");
    let message = request(&posting(&[length.clone(), length])).unwrap();
    assert_eq!(message.body.content_length, Some(12));
}

#[test]
fn a_list_over_the_limit_is_cut_and_counted_in_full() {
    let mut trailers = Trailers::new(100);
    trailers.field(&header("a", "1"), 60);
    trailers.field(&header("b", "2"), 60);
    trailers.field(&Field::GrpcStatus(0), 44);
    trailers.field(&header("c", "3"), 60);
    let fields = trailers.finish().unwrap().head;
    assert_eq!((fields.cut, fields.size, fields.list.len(), fields.grpc_status), (true, 224, 1, Some(0)));
}

#[test]
fn more_fields_than_a_map_has_room_for_are_cut() {
    let mut trailers = Trailers::new(usize::MAX);
    (0..40_000).for_each(|_| trailers.field(&header("a", ""), 33));
    let fields = trailers.finish().unwrap().head;
    assert!(fields.cut);
    assert_eq!(fields.into_map().len(), MOST_FIELDS);
}
