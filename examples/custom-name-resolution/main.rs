//! Custom name resolution: a resolver for a scheme of one's own, and one that the application drives by hand.

use std::{collections::BTreeMap, error::Error};

use thalweg::{
    BoxFuture, Channel, Server,
    core::{
        endpoint::{Address, Endpoint},
        target::{Target, TargetError},
    },
    registry::Registry,
    resolver::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate, manual::ManualResolver},
};
use thalweg_examples::{Greeter, Handlers, hello, line};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tonic::{Request, Response, Status, async_trait};

/// Resolves `phonebook:NAME` by looking into a book.
#[derive(Debug)]
struct Phonebook(BTreeMap<String, Vec<Address>>);

impl ResolverFactory for Phonebook {
    fn scheme(&self) -> &str {
        "phonebook"
    }

    fn build(&self, target: &Target, cx: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        let name = target.path.clone();
        let numbers = self.0.get(&name).cloned();
        Ok(Box::new(Entry { name, numbers, cx, is_first: true }))
    }
}

/// One name's entry, or its absence.
struct Entry {
    name: String,
    numbers: Option<Vec<Address>>,
    cx: ResolverContext,
    is_first: bool,
}

impl Resolver for Entry {
    fn next(&mut self) -> BoxFuture<'_, Result<ResolverUpdate, ResolveError>> {
        Box::pin(async move {
            if !std::mem::take(&mut self.is_first) {
                // Nothing changes in a printed book: look again only if the channel asks.
                self.cx.asked().await;
            }
            let numbers =
                self.numbers.as_ref().ok_or_else(|| ResolveError::NotFound { host: self.name.as_str().into() })?;
            let endpoints = numbers.iter().map(|number| Endpoint::new([number.clone()])).collect();
            Ok(ResolverUpdate { endpoints, ..ResolverUpdate::default() })
        })
    }
}

/// Signs its replies.
struct Signed(&'static str);

#[async_trait]
impl Handlers for Signed {
    async fn say_hello(&self, _: Request<HelloRequest>) -> Result<Response<HelloReply>, Status> {
        Ok(Response::new(HelloReply { message: "hello".into(), backend: self.0.into() }))
    }
}

/// Starts a backend and returns its address.
async fn start(name: &'static str) -> Result<Address, Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(Signed(name)));
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let address = server.local_addrs()[0].clone();
    tokio::spawn(server.run());
    Ok(address)
}

/// Who answers the next call.
async fn answers(client: &mut GreeterClient<Channel>) -> Result<String, Status> {
    Ok(client.say_hello(hello("you")).await?.into_inner().backend)
}

/// Calls until `backend` answers.
async fn until(client: &mut GreeterClient<Channel>, backend: &str) -> Result<(), Status> {
    while answers(client).await? != backend {}
    Ok(())
}

const ROUND_ROBIN: &str = r#"{"loadBalancingConfig": [{"round_robin": {}}]}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (alice, bob) = (start("alice").await?, start("bob").await?);

    println!("phonebook:greeters has two entries, which round_robin calls in turn:");
    let book = Phonebook(BTreeMap::from([("greeters".to_owned(), vec![alice.clone(), bob.clone()])]));
    let manual = ManualResolver::new("push");
    let registry = Registry::default().with_resolver(book).with_resolver(manual.clone());
    let build =
        |target: &str| Channel::builder(target).registry(registry.clone()).default_service_config(ROUND_ROBIN).build();
    let mut client = GreeterClient::new(build("phonebook:greeters")?);
    until(&mut client, "alice").await?;
    until(&mut client, "bob").await?;
    for _ in 0..4 {
        println!("  {}", answers(&mut client).await?);
    }

    println!("phonebook:nobody is not in the book:");
    let status = answers(&mut GreeterClient::new(build("phonebook:nobody")?)).await.err().ok_or("it answered")?;
    println!("  {}", line(&status));

    println!("telegraph:greeters has a scheme that no resolver knows:");
    println!("  {}", build("telegraph://greeters").err().ok_or("it was accepted")?);

    println!("push:greeters goes wherever the application says, while it runs:");
    let mut client = GreeterClient::new(build("push:greeters")?);
    for (name, address) in [("alice", alice), ("bob", bob)] {
        manual.set(ResolverUpdate { endpoints: vec![Endpoint::new([address])], ..ResolverUpdate::default() });
        until(&mut client, name).await?;
        println!("  {}", answers(&mut client).await?);
    }
    Ok(())
}
