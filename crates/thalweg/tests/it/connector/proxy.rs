//! A1: a `dns:` target behind a proxy is the proxy's to resolve.

use std::net::SocketAddr;

use thalweg::{
    Channel, Server,
    transport::connector::proxy::{Proxy, ProxyChoice},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tonic::Code;

use super::{echo, serve};

/// A proxy that gives this answer and, if it is yes, leads to `backend` whatever the name. Returns its address and what
/// it is asked.
async fn proxy(answer: &'static str, backend: SocketAddr) -> (SocketAddr, mpsc::UnboundedReceiver<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, questions) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let mut client = BufReader::new(client);
            let mut question = Vec::new();
            loop {
                let mut line = String::new();
                client.read_line(&mut line).await.unwrap();
                match line.trim_end() {
                    "" => break,
                    line => question.push(line.to_owned()),
                }
            }
            asked.send(question).unwrap();
            client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await.unwrap();
            if answer.starts_with("200") {
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(backend).await.unwrap();
                    // Whichever side ends it.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        }
    });
    (address, questions)
}

fn through(proxy: SocketAddr, target: &str) -> Channel {
    let proxy = Proxy::parse(&format!("http://user:pass@{proxy}")).unwrap();
    Channel::builder(target).proxy(ProxyChoice::Via(proxy)).build().unwrap()
}

#[tokio::test]
async fn a_name_that_only_the_proxy_can_resolve_is_reached_through_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let backend = listener.local_addr().unwrap();
    let _server = serve(Server::builder().listen(listener)).await;
    let (proxy, mut questions) = proxy("200 OK", backend).await;
    let channel = through(proxy, "dns:///greeter.invalid:50051");
    assert_eq!(echo(&channel).await.unwrap(), "hello");
    let question = questions.recv().await.unwrap();
    assert_eq!(question[0], "CONNECT greeter.invalid:50051 HTTP/1.1");
    assert!(question.contains(&"Proxy-Authorization: Basic dXNlcjpwYXNz".to_owned()), "{question:?}");
}

#[tokio::test]
async fn a_proxy_that_refuses_fails_the_call_with_its_answer() {
    let (proxy, _questions) = proxy("403 Forbidden", "127.0.0.1:1".parse().unwrap()).await;
    let status = echo(&through(proxy, "dns:///greeter.invalid:50051")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let why = format!("proxy {proxy}: answered CONNECT greeter.invalid:50051 with 403 Forbidden");
    assert!(status.message().contains(&why), "{status:?}");
}
