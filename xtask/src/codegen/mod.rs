//! `cargo xtask codegen`: writes `crates/proto/src/gen/` from `crates/proto/proto/`, without `protoc`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

#[cfg(test)]
mod tests;

/// Where the `.proto` files are, from the root of the workspace.
const PROTO: &str = "crates/proto/proto";
/// Where the generated code is checked in.
const GENERATED: &str = "crates/proto/src/gen";
/// Where a run generates before it compares or copies.
const SCRATCH: &str = "target/codegen";
/// Every file that defines a service; imports follow by themselves.
const ROOTS: [&str; 4] = [
    "grpc/health/v1/health.proto",
    "grpc/testing/test.proto",
    "thalweg/bench/v1/echo.proto",
    "thalweg/demo/v1/greeter.proto",
];
/// Packages whose `bytes` fields are `bytes::Bytes`, so that a payload isn't copied out of the message.
const SHARED_BYTES: [&str; 1] = [".thalweg.bench.v1"];

/// Why there is no generated code, or not the right one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A `.proto` file does not compile.
    #[error("{0}")]
    Proto(#[from] protox::Error),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// `--check` found other code than the `.proto` files generate.
    #[error("not what the .proto files generate, so run `cargo xtask codegen` and commit: {}", .0.join(", "))]
    Stale(Vec<String>),
}

impl Error {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

/// Generates the code and writes what changed.
pub(crate) fn write(root: &Path) -> Result<(), Error> {
    let (scratch, checked_in) = (generate(root)?, root.join(GENERATED));
    for name in differences(&scratch, &checked_in)? {
        let (from, to) = (scratch.join(&name), checked_in.join(&name));
        if from.exists() {
            fs::copy(&from, &to).map_err(Error::file(&to))?;
        } else {
            fs::remove_file(&to).map_err(Error::file(&to))?;
        }
        println!("{GENERATED}/{name}");
    }
    Ok(())
}

/// Generates the code and compares it with what is checked in.
pub(crate) fn check(root: &Path) -> Result<(), Error> {
    let stale = differences(&generate(root)?, &root.join(GENERATED))?;
    if stale.is_empty() { Ok(()) } else { Err(Error::Stale(stale)) }
}

/// Generates all packages into a fresh scratch folder and returns it.
fn generate(root: &Path) -> Result<PathBuf, Error> {
    let scratch = root.join(SCRATCH);
    if scratch.exists() {
        fs::remove_dir_all(&scratch).map_err(Error::file(&scratch))?;
    }
    fs::create_dir_all(&scratch).map_err(Error::file(&scratch))?;
    let descriptors = protox::compile(ROOTS, [root.join(PROTO)])?;
    let mut builder = tonic_prost_build::configure().build_transport(false).emit_rerun_if_changed(false);
    for package in SHARED_BYTES {
        builder = builder.bytes(package);
    }
    builder.out_dir(&scratch).compile_fds(descriptors).map_err(Error::file(&scratch))?;
    Ok(scratch)
}

/// The names of the files that two folders don't have in common, byte for byte.
fn differences(left: &Path, right: &Path) -> Result<Vec<String>, Error> {
    let mut names = file_names(left)?;
    names.extend(file_names(right)?);
    names.sort_unstable();
    names.dedup();
    names.retain(|name| match (fs::read(left.join(name)), fs::read(right.join(name))) {
        (Ok(left), Ok(right)) => left != right,
        _ => true,
    });
    Ok(names)
}

fn file_names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(folder).map_err(Error::file(folder))?;
    entries.map(|entry| Ok(entry.map_err(Error::file(folder))?.file_name().to_string_lossy().into_owned())).collect()
}
