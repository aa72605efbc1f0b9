//! Certificates for the tests: an authority, and a server certificate that it signed.

use std::{fs, io, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// The names and addresses that the server's certificate is good for.
pub const NAMES: [&str; 4] = ["*.test.google.fr", "foo.test.google.fr", "localhost", "127.0.0.1"];

/// What keeps the certificates from being made.
#[derive(Debug, thiserror::Error)]
pub enum CertsError {
    /// A certificate could not be made.
    #[error("making the test certificates: {0}")]
    Make(#[from] rcgen::Error),
    /// A file could not be written.
    #[error("writing the test certificates: {0}")]
    Write(#[from] io::Error),
}

/// Writes `ca.pem`, `server.pem` and `server.key` into a folder, made new each time.
///
/// # Errors
///
/// If a certificate cannot be made or a file cannot be written.
pub fn write(folder: &Path) -> Result<(), CertsError> {
    let authority = CertifiedIssuer::self_signed(authority()?, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let server = server()?.signed_by(&key, &authority)?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("ca.pem"), authority.pem())?;
    fs::write(folder.join("server.pem"), server.pem())?;
    fs::write(folder.join("server.key"), key.serialize_pem())?;
    Ok(())
}

fn authority() -> Result<CertificateParams, rcgen::Error> {
    let mut params = named(CertificateParams::new([])?, "thalweg interop authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

fn server() -> Result<CertificateParams, rcgen::Error> {
    Ok(named(CertificateParams::new(NAMES.map(String::from))?, "thalweg interop server"))
}

fn named(mut params: CertificateParams, name: &str) -> CertificateParams {
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2048, 1, 1);
    params
}
