//! Where the calls go: how the flags become a channel, and a channel a stub.

use std::net::Ipv6Addr;

use thalweg::{Channel, credentials::ChannelCredentials};
use thalweg_proto::interop::{
    test_service_client::TestServiceClient, unimplemented_service_client::UnimplementedServiceClient,
};

use super::{
    expect::Failure,
    options::{ClientOptions, SoakOptions},
};
use crate::framing::ClientFraming;

/// The stub that the cases call.
pub(super) type Stub = TestServiceClient<ClientFraming<Channel>>;

/// The server under test, and a channel to it that the cases of a process share.
#[derive(Debug)]
pub(super) struct Target {
    options: ClientOptions,
    channel: Channel,
}

impl Target {
    pub(super) fn new(options: ClientOptions) -> Result<Self, Failure> {
        let channel = connect(&options)?;
        Ok(Self { options, channel })
    }

    /// A stub on the shared channel.
    pub(super) fn stub(&self) -> Stub {
        TestServiceClient::new(ClientFraming(self.channel.clone()))
    }

    /// A stub on a channel of its own.
    pub(super) fn fresh_stub(&self) -> Result<Stub, Failure> {
        Ok(TestServiceClient::new(ClientFraming(connect(&self.options)?)))
    }

    /// The shared channel itself.
    pub(super) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// A stub for the service that no server has.
    pub(super) fn missing_service(&self) -> UnimplementedServiceClient<Channel> {
        UnimplementedServiceClient::new(self.channel.clone())
    }

    pub(super) fn soak(&self) -> SoakOptions {
        self.options.soak
    }
}

/// The target that the flags name, as a channel's builder takes it.
fn name(options: &ClientOptions) -> String {
    let port = options.server_port;
    match options.server_host.parse::<Ipv6Addr>() {
        Ok(address) => format!("dns:///[{address}]:{port}"),
        Err(_) => format!("dns:///{}:{port}", options.server_host),
    }
}

fn connect(options: &ClientOptions) -> Result<Channel, Failure> {
    let target = name(options);
    let mut builder = Channel::builder(&target).credentials(credentials(options)?);
    if !options.server_host_override.is_empty() {
        builder = builder.authority(&options.server_host_override);
    }
    builder.build().map_err(|error| Failure::new("channel", format!("one to {target}"), error.to_string()))
}

fn credentials(options: &ClientOptions) -> Result<ChannelCredentials, Failure> {
    if !options.use_tls {
        return Ok(ChannelCredentials::insecure());
    }
    let mut tls = ChannelCredentials::tls();
    if options.use_test_ca {
        tls = tls.roots_pem(options.ca_file.as_path());
    }
    tls.build().map_err(|error| Failure::new("TLS", "credentials", error.to_string()))
}
