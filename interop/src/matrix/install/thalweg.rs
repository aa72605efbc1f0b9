//! thalweg's own client and server.

use std::env;

use super::{Program, Programs, steps::InstallError};

/// The programs that were built beside this one.
pub(super) fn programs() -> Result<Programs, InstallError> {
    let this = env::current_exe().map_err(|source| InstallError::File { what: "this program".to_owned(), source })?;
    let built = |name: &str| {
        let program = this.with_file_name(format!("{name}{}", env::consts::EXE_SUFFIX));
        if program.is_file() { Ok(Program::executable(program)) } else { Err(InstallError::NotBuilt(name.to_owned())) }
    };
    Ok(Programs { client: built("client")?, server: built("server")? })
}
