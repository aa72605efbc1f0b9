//! hickory-resolver against a name server of our own on loopback: what a real answer becomes.

use std::net::SocketAddr;

use hickory_resolver::proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{
        RData, Record, RecordType,
        rdata::{A, AAAA, TXT},
    },
    serialize::binary::{BinDecodable, BinEncodable},
};
use tokio::net::UdpSocket;

use super::*;
use crate::resolver::dns::hickory::Hickory;

/// Answers every query on a UDP socket until the test ends.
async fn serve(zone: fn(&str, RecordType) -> Result<Vec<RData>, ResponseCode>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut buffer).await.unwrap();
            let query = Message::from_bytes(&buffer[..length]).unwrap();
            let question = query.queries[0].clone();
            let mut answer = Message::new(query.metadata.id, MessageType::Response, OpCode::Query);
            answer.add_query(question.clone());
            match zone(&question.name().to_string(), question.query_type()) {
                Ok(data) => {
                    let ttls = [70, 60].into_iter().cycle();
                    let records = data.into_iter().zip(ttls);
                    answer
                        .add_answers(records.map(|(data, ttl)| Record::from_rdata(question.name().clone(), ttl, data)));
                }
                Err(code) => answer.metadata.response_code = code,
            }
            socket.send_to(&answer.to_bytes().unwrap(), from).await.unwrap();
        }
    });
    address
}

fn zone(name: &str, kind: RecordType) -> Result<Vec<RData>, ResponseCode> {
    match (name, kind) {
        ("greeter.test.", RecordType::A) => Ok(vec![RData::A(A::new(10, 0, 0, 1)), RData::A(A::new(10, 0, 0, 2))]),
        ("greeter.test.", RecordType::AAAA) => Ok(vec![RData::AAAA(AAAA::new(0, 0, 0, 0, 0, 0, 0, 9))]),
        ("four.test.", RecordType::A) => Ok(vec![RData::A(A::new(10, 0, 0, 4))]),
        ("half.test.", RecordType::A) => Ok(vec![RData::A(A::new(10, 0, 0, 5))]),
        ("half.test.", RecordType::AAAA) => Err(ResponseCode::ServFail),
        ("_grpc_config.greeter.test.", RecordType::TXT) => {
            Ok(vec![RData::TXT(TXT::new(vec!["grpc_config=[{\"service".into(), "Config\":{}}]".into()]))])
        }
        ("four.test." | "empty.test.", _) => Ok(Vec::new()),
        ("broken.test.", _) => Err(ResponseCode::ServFail),
        _ => Err(ResponseCode::NXDomain),
    }
}

#[tokio::test]
async fn a_name_server_named_in_the_target_is_asked_for_both_families() {
    let server = serve(zone).await;
    let update = real(&format!("dns://{server}/greeter.test:50051")).next().await.unwrap();
    assert_eq!(addresses(&update), "10.0.0.1:50051 10.0.0.2:50051 [::9]:50051");
}

#[tokio::test]
async fn the_shortest_time_to_live_counts_and_one_family_is_enough() {
    let dns = Hickory::new(Some(serve(zone).await));
    assert_eq!(dns.addresses("greeter.test").await.unwrap().ttl, Some(Duration::from_secs(60)));
    assert_eq!(
        dns.addresses("four.test").await,
        Ok(Answer { addresses: vec![[10, 0, 0, 4].into()], ttl: Some(Duration::from_secs(70)) })
    );
    assert_eq!(dns.addresses("half.test").await.unwrap().addresses, [std::net::IpAddr::from([10, 0, 0, 5])]);
}

#[tokio::test]
async fn failures_say_what_the_name_server_answered() {
    let dns = Hickory::new(Some(serve(zone).await));
    assert_eq!(dns.addresses("nobody.test").await, Err(ResolveError::NotFound { host: "nobody.test".into() }));
    for (host, expected) in [
        ("empty.test", "looking up empty.test: it has no IPv4 or IPv6 address"),
        ("broken.test", "looking up broken.test: the name server answered: Server Failure"),
    ] {
        assert_eq!(dns.addresses(host).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn the_strings_of_a_txt_record_are_joined_and_no_record_is_no_error() {
    let dns = Hickory::new(Some(serve(zone).await));
    assert_eq!(dns.txt("_grpc_config.greeter.test").await.unwrap(), [r#"grpc_config=[{"serviceConfig":{}}]"#]);
    assert_eq!(dns.txt("_grpc_config.nobody.test").await, Ok(Vec::new()));
    assert_eq!(dns.txt("_grpc_config.empty.test").await, Ok(Vec::new()));
}
