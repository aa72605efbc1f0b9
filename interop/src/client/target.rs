//! Where the calls go: how the flags become a channel, and a channel a stub.

use std::net::Ipv6Addr;

use thalweg::{Channel, channel::ChannelBuilder, credentials::ChannelCredentials};
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

    /// A stub on a channel that calls no server unless this service is serving there.
    pub(super) fn minding(&self, service: &str) -> Result<TestServiceClient<Channel>, Failure> {
        let config = format!(
            r#"{{"loadBalancingConfig": [{{"round_robin": {{}}}}], "healthCheckConfig": {{"serviceName": "{service}"}}}}"#
        );
        build(builder(&self.options)?.default_service_config(config)).map(TestServiceClient::new)
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
    build(builder(options)?)
}

fn builder(options: &ClientOptions) -> Result<ChannelBuilder, Failure> {
    let builder = Channel::builder(name(options)).credentials(credentials(options)?);
    match options.server_host_override.as_str() {
        "" => Ok(builder),
        host => Ok(builder.authority(host)),
    }
}

fn build(builder: ChannelBuilder) -> Result<Channel, Failure> {
    builder.build().map_err(|error| Failure::new("channel", "one that can be built", error.to_string()))
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
