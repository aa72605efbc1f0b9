//! Certificates for tests, made on the spot: an authority and what it signs.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// A certificate and its private key, both PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub chain: String,
    /// Its private key.
    pub key: String,
}

/// A certificate authority.
#[derive(Debug)]
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    /// A new authority, unlike any other: its name says who, its key is new.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let mut params = named(&[], name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        Self(CertifiedIssuer::self_signed(params, key()).expect("a certificate of our own making is well-formed"))
    }

    /// The authority's own certificate, PEM: the root for those who trust it.
    #[must_use]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's certificate for these DNS names or IP addresses.
    #[must_use]
    pub fn server(&self, names: &[&str]) -> Identity {
        self.sign(&server_params(names))
    }

    /// A server's certificate that expired at the beginning of 2001.
    #[must_use]
    pub fn expired_server(&self, names: &[&str]) -> Identity {
        let mut params = server_params(names);
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(2001, 1, 1);
        self.sign(&params)
    }

    /// A client's certificate in this name.
    #[must_use]
    pub fn client(&self, name: &str) -> Identity {
        let mut params = named(&[], name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Identity {
        let key = key();
        let certificate = params.signed_by(&key, &self.0).expect("a certificate of our own making is well-formed");
        Identity { chain: certificate.pem(), key: key.serialize_pem() }
    }
}

fn key() -> KeyPair {
    KeyPair::generate().expect("the system has randomness")
}

fn server_params(names: &[&str]) -> CertificateParams {
    let mut params = named(names, "server");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn named(names: &[&str], common_name: &str) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("the test's names are DNS names or IP addresses");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params
}
