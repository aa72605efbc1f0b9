//! Custom load balancing: a policy that is not in the box, with a configuration of its own, which goes by what a resolver
//! says of each endpoint.

mod near;

use std::{collections::BTreeMap, error::Error, time::Duration};

use thalweg::{
    BoxFuture, Channel, Server,
    core::{
        endpoint::{Address, Endpoint, Locality},
        target::{Target, TargetError},
    },
    registry::Registry,
    resolver::{ResolveError, Resolver, ResolverContext, ResolverFactory, ResolverUpdate},
    server::ServerHandle,
};
use thalweg_examples::{Greeter, Handlers, hello};
use thalweg_proto::demo::{HelloReply, HelloRequest, greeter_client::GreeterClient, greeter_server::GreeterServer};
use tonic::{Request, Response, Status, async_trait};

use crate::near::NearFactory;

/// Resolves `zones:` to backends, and says in which zone each of them is.
#[derive(Clone, Debug)]
struct Zones(Vec<(Locality, Address)>);

impl ResolverFactory for Zones {
    fn scheme(&self) -> &str {
        "zones"
    }

    fn build(&self, _: &Target, cx: ResolverContext) -> Result<Box<dyn Resolver>, TargetError> {
        Ok(Box::new(Lookup { zones: self.clone(), cx, is_first: true }))
    }
}

struct Lookup {
    zones: Zones,
    cx: ResolverContext,
    is_first: bool,
}

impl Resolver for Lookup {
    fn next(&mut self) -> BoxFuture<'_, Result<ResolverUpdate, ResolveError>> {
        Box::pin(async move {
            if !std::mem::take(&mut self.is_first) {
                self.cx.asked().await;
            }
            let endpoint =
                |(place, address): &(Locality, Address)| Endpoint::new([address.clone()]).with(place.clone());
            let endpoints = self.zones.0.iter().map(endpoint).collect();
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

/// Starts a backend.
async fn start(name: &'static str) -> Result<(Address, ServerHandle), Box<dyn Error>> {
    let service = GreeterServer::new(Greeter(Signed(name)));
    let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await?;
    let started = (server.local_addrs()[0].clone(), server.handle());
    tokio::spawn(server.run());
    Ok(started)
}

type Client = GreeterClient<Channel>;

/// Who answers the next call.
async fn answers(client: &mut Client) -> Result<String, Status> {
    Ok(client.say_hello(hello("you")).await?.into_inner().backend)
}

/// Calls until all of these have answered.
async fn until(client: &mut Client, backends: &[&str]) -> Result<(), Status> {
    for backend in backends {
        while answers(client).await? != *backend {}
    }
    Ok(())
}

/// The share of calls that each backend answers, roughly.
async fn print_shares(client: &mut Client) -> Result<(), Status> {
    let mut shares = BTreeMap::<_, u32>::new();
    for _ in 0..4_000 {
        *shares.entry(answers(client).await?).or_default() += 1;
    }
    for (backend, calls) in shares {
        println!("  {backend}: about {} % of 4000 calls", (calls + 200) / 400 * 10);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let ((east, east_handle), (west, _west_handle)) = (start("east").await?, start("west").await?);
    let zone = |name: &str| Locality { zone: name.into(), ..Locality::default() };
    let zones = Zones(vec![(zone("east"), east), (zone("west"), west)]);
    let registry = Registry::default().with_resolver(zones).with_policy(NearFactory);
    let build = |config: &str| {
        let config = format!(r#"{{"loadBalancingConfig": [{{"near": {config}}}]}}"#);
        Channel::builder("zones:greeters").registry(registry.clone()).default_service_config(&config).build()
    };

    println!(r#"{{"zone": "east", "farPercent": 20}} sends one call of five elsewhere:"#);
    let mut client = Client::new(build(r#"{"zone": "east", "farPercent": 20}"#)?);
    until(&mut client, &["east", "west"]).await?;
    print_shares(&mut client).await?;

    println!("when nobody is near, all calls go far, and none fails:");
    east_handle.graceful_stop(Duration::from_secs(1)).await;
    while answers(&mut client).await? != "west" {}
    print_shares(&mut client).await?;

    println!("a wrong configuration is refused, and the message says where:");
    println!("  {}", build(r#"{"zone": "east", "farPercent": 200}"#).err().ok_or("it was accepted")?);
    Ok(())
}
