//! Our programs on grpc-js, by `npm ci`.

use std::path::PathBuf;

use tokio::process::Command;

use super::{
    Program, Programs, interop, peers,
    steps::{InstallError, copy, create_folder, needs, run, same},
};

pub(super) async fn install() -> Result<Programs, InstallError> {
    let (ours, folder) = (interop().join("peers/grpc-js"), peers().join("grpc-js"));
    let (wanted, installed) = (ours.join("package-lock.json"), folder.join("installed-lock.json"));
    if !same(&wanted, &installed)? {
        needs("node", "--version").await?;
        needs("npm", "--version").await?;
        println!("installing grpc-js");
        create_folder(&folder)?;
        for name in ["package.json", "package-lock.json"] {
            copy(&ours.join(name), &folder.join(name))?;
        }
        let options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(Command::new("npm").current_dir(&folder).args(options)).await?;
        copy(&wanted, &installed)?;
    }
    let program = |name| Program {
        executable: PathBuf::from("node"),
        script: Some(ours.join(name)),
        environment: vec![("NODE_PATH", folder.join("node_modules"))],
    };
    Ok(Programs { client: program("client.js"), server: program("server.js") })
}
