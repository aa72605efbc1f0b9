//! h2spec, by `go install`.

use tokio::process::Command;

use super::{
    Program, interop, peers,
    steps::{InstallError, copy, needs, run, same},
};

pub(super) async fn install() -> Result<Program, InstallError> {
    let (ours, folder) = (interop().join("peers/h2spec"), peers().join("h2spec"));
    let (wanted, installed) = (ours.join("go.sum"), folder.join("go.sum"));
    if !same(&wanted, &installed)? {
        needs("go", "version").await?;
        println!("installing h2spec");
        run(Command::new("go").current_dir(&ours).args(["install", "tool"]).env("GOBIN", &folder)).await?;
        copy(&wanted, &installed)?;
    }
    Ok(Program::executable(folder.join("h2spec")))
}
