//! Answers whose headers or trailers are larger than the client accepts (SETTINGS_MAX_HEADER_LIST_SIZE).

use bytes::Bytes;
use thalweg::context::ServerRequestExt;
use thalweg_testkit::{network::Network, peer::Peer, stub::Stub};
use tonic::{Request, Response, Status};

use super::{LIST_SIZE, dial};
use crate::support::fleet::ONE;

fn long() -> tonic::metadata::MetadataValue<tonic::metadata::Ascii> {
    "x".repeat(2000).parse().unwrap()
}

/// Answers with too much of what the request asks for.
async fn answer(request: Request<Bytes>) -> Result<Response<Bytes>, Status> {
    match &request.get_ref()[..] {
        b"headers" => {
            let mut response = Response::new(Bytes::from("hello"));
            response.metadata_mut().insert("x-long", long());
            Ok(response)
        }
        b"trailers" => {
            request.trailers().insert("x-long", long());
            Ok(Response::new(Bytes::from("hello")))
        }
        b"failure" => {
            let mut status = Status::not_found("nobody of that name");
            status.metadata_mut().insert("x-long", long());
            Err(status)
        }
        _ => Ok(Response::new(Bytes::from("hello"))),
    }
}

/// The end of the answer to this request, and whether a message came before it.
async fn ask(client: &mut Peer, what: &str) -> (String, String, bool) {
    let stream = client.send_request("/s/Get", &[]).await;
    client.send_message(stream, what.as_bytes()).await;
    client.send_end(stream).await;
    let mut head = client.expect_headers_on(stream).await;
    let is_answered = !head.end;
    if is_answered {
        assert_eq!(client.expect_message(stream).await, "hello");
        head = client.expect_headers_on(stream).await;
    }
    let said = |name| head.headers.get(name).unwrap_or_default().to_owned();
    assert!(head.end && head.headers.get("x-long").is_none());
    (said("grpc-status"), said("grpc-message"), is_answered)
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_client_does_not_accept_says_so_instead() {
    let network = Network::new();
    let _server = Stub::new().unary("/s/Get", answer).serve(network.listen(ONE)).await;
    let mut client = dial(&network).await;
    client.send_preface(&[(LIST_SIZE, 1000)]).await;
    client.expect_settings().await;
    client.expect_settings_ack().await;

    let (code, text, is_answered) = ask(&mut client, "headers").await;
    assert_eq!((&*code, is_answered), ("8", false));
    assert!(text.starts_with("the headers of 2") && text.ends_with("client accepts (1000 bytes)"), "{text}");

    let (code, text, is_answered) = ask(&mut client, "trailers").await;
    assert_eq!((&*code, is_answered), ("8", true));
    assert!(text.starts_with("the trailers of 2") && text.ends_with("client accepts (1000 bytes)"), "{text}");

    let failure = ("5".to_owned(), "nobody%20of%20that%20name".to_owned(), false);
    assert_eq!(ask(&mut client, "failure").await, failure);

    assert_eq!(ask(&mut client, "nothing").await, ("0".to_owned(), String::new(), true));
}
