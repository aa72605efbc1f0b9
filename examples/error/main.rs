//! Errors: a status with rich details, sent and read; and how to tell the server's errors from the channel's own.

use std::error::Error;

use thalweg::{Channel, Server, error::LocalError};
use thalweg_examples::{Greeter, Handlers, hello, line};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tonic::{Code, Request, Response, Status, async_trait};
use tonic_types::{ErrorDetails, StatusExt};

/// Greets people who have a name.
struct Strict;

#[async_trait]
impl Handlers for Strict {
    async fn say_hello(&self, request: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        if !request.get_ref().name.is_empty() {
            return Err(Status::permission_denied("we have not been introduced"));
        }
        let mut details = ErrorDetails::new();
        details
            .add_bad_request_violation("name", "must not be empty")
            .add_help_link("what a name is", "https://example.com/names")
            .set_localized_message("en-US", "Please tell us your name.");
        Err(Status::with_error_details(Code::InvalidArgument, "nobody to greet", details))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(Strict));
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let target = format!("ipv4:{}", server.local_addrs()[0]);
    tokio::spawn(server.run());
    let mut client = GreeterClient::new(Channel::builder(target).build()?);

    println!("The server's status, with details:");
    let status = client.say_hello(hello("")).await.err().ok_or("it answered")?;
    println!("  {}", line(&status));
    let details = status.get_error_details();
    for violation in details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default() {
        println!("  bad request: {} {}", violation.field, violation.description);
    }
    for link in details.help().map(|help| help.links.as_slice()).unwrap_or_default() {
        println!("  help: {} at {}", link.description, link.url);
    }
    if let Some(text) = details.localized_message() {
        println!("  in {}: {}", text.locale, text.message);
    }
    println!("  {}", origin(&status));

    println!("The server's status, without details:");
    let status = client.say_hello(hello("you")).await.err().ok_or("it answered")?;
    println!("  {}", line(&status));
    println!("  {}", origin(&status));

    println!("The channel's own status, when nobody is there:");
    let mut nobody = GreeterClient::new(Channel::builder("unix:no/such/socket").build()?);
    let status = nobody.say_hello(hello("you")).await.err().ok_or("it answered")?;
    println!("  {}", line(&status));
    println!("  {}", origin(&status));
    Ok(())
}

fn origin(status: &Status) -> String {
    match LocalError::of(status) {
        Some(error) => format!("made on this side: {error}"),
        None => "made by the server".into(),
    }
}
