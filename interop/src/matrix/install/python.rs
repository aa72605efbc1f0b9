//! Our programs on grpcio, in a virtual environment.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::{
    Program, Programs, interop, peers,
    steps::{InstallError, copy, create_folder, needs, run, same},
};

pub(super) async fn install() -> Result<Programs, InstallError> {
    let ours = interop().join("peers/python");
    let venv = peers().join("python");
    let interpreter = venv.join("bin/python");
    let (wanted, installed) = (ours.join("requirements.txt"), venv.join("requirements.txt"));
    if !same(&wanted, &installed)? {
        needs("python3", "--version").await?;
        println!("installing grpcio");
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv)).await?;
        run(Command::new(&interpreter).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&wanted)).await?;
        copy(&wanted, &installed)?;
    }
    let stubs = generate(&interpreter).await?;
    let program = |name| Program {
        executable: interpreter.clone(),
        script: Some(ours.join(name)),
        environment: vec![("PYTHONPATH", stubs.clone()), ("PYTHONDONTWRITEBYTECODE", PathBuf::from("1"))],
    };
    Ok(Programs { client: program("client.py"), server: program("server.py") })
}

/// Generates the stubs from the `.proto` files that ours come from.
async fn generate(interpreter: &Path) -> Result<PathBuf, InstallError> {
    let (stubs, protos) = (peers().join("stubs"), interop().join("../crates/proto/proto"));
    create_folder(&stubs)?;
    let mut command = Command::new(interpreter);
    command.current_dir(protos).args(["-m", "grpc_tools.protoc", "-I."]);
    for option in ["--python_out", "--grpc_python_out"] {
        command.arg(option).arg(&stubs);
    }
    command.args(["empty", "messages", "test"].map(|name| format!("grpc/testing/{name}.proto")));
    run(&mut command).await?;
    Ok(stubs)
}
