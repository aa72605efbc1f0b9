//! The programs of nghttp2: this machine's own, or Debian's.

use tokio::process::Command;

use super::{
    Program, interop, peers,
    steps::{InstallError, run},
};

pub(super) async fn install(name: &'static str) -> Result<Program, InstallError> {
    let folder = peers().join("nghttp2");
    if !folder.join("installed").is_file() {
        println!("installing nghttp2");
        let script = interop().join("peers/nghttp2/install");
        run(Command::new("sh").arg(script).arg(&folder)).await.map_err(not_available)?;
    }
    let environment = vec![("LD_LIBRARY_PATH", folder.join("lib"))];
    Ok(Program { environment, ..Program::executable(folder.join("bin").join(name)) })
}

/// Whatever keeps the packages away is the machine's, and known by the last line that was printed.
fn not_available(error: InstallError) -> InstallError {
    match error {
        InstallError::Failed { output, .. } => {
            let reason = output.lines().last().unwrap_or("no reason given").to_owned();
            InstallError::NotAvailable { what: "nghttp2", reason }
        }
        other => other,
    }
}
