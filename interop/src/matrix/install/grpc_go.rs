//! grpc-go's own interoperability programs, by `go install`.

use tokio::process::Command;

use super::{
    Program, Programs, peers,
    steps::{InstallError, needs, run},
};

/// The release whose programs play.
const VERSION: &str = "v1.85.0";

pub(super) async fn install() -> Result<Programs, InstallError> {
    let folder = peers().join(format!("grpc-go-{VERSION}"));
    let [client, server] = ["client", "server"].map(|name| folder.join(name));
    if !(client.is_file() && server.is_file()) {
        needs("go", "version").await?;
        println!("installing grpc-go {VERSION}");
        let packages = ["client", "server"].map(|name| format!("google.golang.org/grpc/interop/{name}@{VERSION}"));
        run(Command::new("go").arg("install").args(packages).env("GOBIN", &folder)).await?;
    }
    let [client, server] = [client, server].map(Program::executable);
    Ok(Programs { client, server })
}
