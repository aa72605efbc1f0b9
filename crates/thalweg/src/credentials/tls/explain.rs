//! TLS errors in plain words.

use std::{io, time::Duration};

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

use crate::error::connect::describe_io;

/// What went wrong in a handshake.
pub(super) fn handshake(error: &io::Error) -> String {
    match in_words(error) {
        Some(text) => text,
        None if error.kind() == io::ErrorKind::UnexpectedEof => "connection closed during the handshake".to_owned(),
        None => describe_io(error),
    }
}

/// An I/O error of an established connection, TLS errors among them in plain words. Its kind stays.
pub(super) fn established(error: io::Error) -> io::Error {
    match in_words(&error) {
        Some(text) => io::Error::new(error.kind(), format!("TLS: {text}")),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            io::Error::new(io::ErrorKind::UnexpectedEof, "connection closed by the peer")
        }
        None => error,
    }
}

/// The TLS error in it, if there is one.
fn in_words(error: &io::Error) -> Option<String> {
    let tls = error.get_ref()?.downcast_ref::<Error>()?;
    Some(match tls {
        Error::InvalidCertificate(reason) => certificate(reason),
        Error::AlertReceived(alert) => received(*alert),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => "the peer does not speak TLS".to_owned(),
        Error::NoCertificatesPresented => "the peer sent no certificate".to_owned(),
        Error::NoApplicationProtocol => "the peer did not offer h2 by ALPN, which gRPC needs".to_owned(),
        other => other.to_string(),
    })
}

/// What is wrong with the peer's certificate.
fn certificate(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => "certificate signed by an unknown authority".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| bare(name)).collect();
            format!("certificate not valid for name {:?}; it is for {names:?}", expected.to_str())
        }
        CertificateError::ExpiredContext { time, not_after } => {
            format!("certificate expired {} ago", age(time.as_secs(), not_after.as_secs()))
        }
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("certificate not valid before {} from now", age(not_before.as_secs(), time.as_secs()))
        }
        CertificateError::Revoked => "certificate revoked".to_owned(),
        CertificateError::InvalidPurposeContext { .. } => "certificate made for another purpose".to_owned(),
        other => Error::InvalidCertificate(other.clone()).to_string(),
    }
}

/// What the peer complained about.
fn received(alert: AlertDescription) -> String {
    let words = match alert {
        AlertDescription::CertificateRequired => "the peer requires a certificate, and we have none to show",
        AlertDescription::UnknownCA => "the peer does not know the authority that signed our certificate",
        AlertDescription::BadCertificate => "the peer does not accept our certificate",
        AlertDescription::CertificateExpired => "the peer says that our certificate expired",
        AlertDescription::CertificateRevoked => "the peer says that our certificate is revoked",
        AlertDescription::NoApplicationProtocol => "the peer does not speak h2 (ALPN), which gRPC needs",
        AlertDescription::UnrecognisedName => "the peer does not serve the name that we asked for",
        AlertDescription::ProtocolVersion => "the peer speaks no version of TLS that we speak",
        AlertDescription::HandshakeFailure => "the peer found no parameters in common with ours",
        AlertDescription::AccessDenied => "the peer denies us access",
        other => return format!("the peer ended the connection with the alert {other:?}"),
    };
    words.to_owned()
}

/// The name in `DnsName("name")`, as rustls prints what a certificate bears.
fn bare(presented: &str) -> &str {
    let inner = presented.split_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(presented).trim_matches('"')
}

/// How long `later` comes after `earlier`, both in seconds of Unix time, in its largest unit.
fn age(later: u64, earlier: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let seconds = later.saturating_sub(earlier);
    match UNITS.iter().find(|(size, _)| seconds >= 2 * size) {
        Some((size, unit)) => format!("{} {unit}", seconds / size),
        None => format!("{:?}", Duration::from_secs(seconds)),
    }
}
