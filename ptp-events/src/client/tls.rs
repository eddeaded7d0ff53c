//! HTTPS: whom we trust, and what a certificate that was refused means.
//!
//! Every HTTP client of the project is built here, so that publishers, sinks and the API of an agent
//! elsewhere trust by the same rules: the platform's authorities, or, where a CA file is given, those
//! in the file and nobody else (as with `curl --cacert` and Prometheus' `ca_file`).

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{AlertDescription, CertificateError, ClientConfig, InvalidMessage, RootCertStore};

/// The largest CA file that is read, in bytes. The platform's own bundle has some 250 kB.
const MAX_CA_BYTES: u64 = 4 << 20;

/// Whom a client trusts when it speaks HTTPS.
///
/// A client certificate, which publishers with authentication will ask for (docs/protocol.md §13),
/// becomes a second field here and one line in [`Self::builder`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tls {
    ca_file: Option<PathBuf>,
}

/// Why no client could be made that speaks HTTPS.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The CA file cannot be read.
    #[error("cannot read the CA file `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The CA file holds no certificate we can use.
    #[error("the CA file `{}` holds no certificate in PEM that can be used", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// No client could be set up.
    #[error("cannot set up HTTP")]
    Setup {
        /// Why not.
        source: reqwest::Error,
    },
}

impl Tls {
    /// Trusts the platform's certificate authorities.
    #[must_use]
    pub const fn platform() -> Self {
        Self { ca_file: None }
    }

    /// Trusts the certificate authorities in this file, in PEM, and no others; without a file, as
    /// [`Self::platform`].
    #[must_use]
    pub const fn with_ca_file(ca_file: Option<PathBuf>) -> Self {
        Self { ca_file }
    }

    /// The file that says whom to trust.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// What the CA file holds now; two equal answers make two equal clients.
    ///
    /// # Errors
    /// When the file cannot be read, or is too large to be one.
    pub fn read(&self) -> Result<Authorities, TlsError> {
        let Some(path) = &self.ca_file else { return Ok(Authorities::default()) };
        let mut pem = Vec::new();
        let read = std::fs::File::open(path)
            .and_then(|file| file.take(MAX_CA_BYTES + 1).read_to_end(&mut pem));
        let read = read.and_then(|size| match u64::try_from(size) {
            Ok(size) if size <= MAX_CA_BYTES => Ok(()),
            _ => Err(io::Error::from(io::ErrorKind::FileTooLarge)),
        });
        read.map_err(|source| TlsError::Unreadable { path: path.clone(), source })?;
        Ok(Authorities { file: Some((path.clone(), pem)) })
    }

    /// A client to be told the rest, which trusts as this says. It follows no redirects: whoever is
    /// called must not be able to send what is meant for them elsewhere.
    ///
    /// # Errors
    /// When the CA file cannot be used.
    ///
    /// # Panics
    /// Never: the provider speaks the versions that are asked for.
    pub fn builder(&self) -> Result<reqwest::ClientBuilder, TlsError> {
        self.read()?.builder()
    }
}

/// The certificate authorities to trust, as they were read.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Authorities {
    /// The file and its bytes; without one, the platform's.
    file: Option<(PathBuf, Vec<u8>)>,
}

impl Authorities {
    /// As [`Tls::builder`].
    ///
    /// # Errors
    /// When the file holds no certificate.
    ///
    /// # Panics
    /// Never, as [`Tls::builder`].
    pub fn builder(&self) -> Result<reqwest::ClientBuilder, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring can do TLS 1.2 and 1.3")
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        Ok(reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("ptp-agent/", env!("CARGO_PKG_VERSION"))))
    }

    fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        let Some((path, pem)) = &self.file else {
            // A machine without authorities still speaks HTTP; over HTTPS it trusts nobody, and
            // says so when it is asked to.
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            return Ok(roots);
        };
        let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
        let (usable, _) = roots.add_parsable_certificates(certificates);
        if usable == 0 {
            return Err(TlsError::NoCertificate { path: path.clone() });
        }
        Ok(roots)
    }
}

/// What is wrong with the certificate a server showed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateProblem {
    /// Signed by nobody we trust.
    #[error(
        "the server's certificate is signed by an authority that is not trusted (UnknownIssuer); \
         give the one that is with a CA file"
    )]
    UnknownAuthority,
    /// Out of date.
    #[error(
        "the server's certificate has expired; it must be renewed there, or our clock is wrong"
    )]
    Expired,
    /// Not valid yet.
    #[error("the server's certificate is not valid yet; it is too new, or our clock is wrong")]
    NotYetValid,
    /// For another name.
    #[error("the server's certificate is for another name than the URL's host")]
    WrongName,
    /// It is one to sign others with.
    #[error(
        "the server's certificate is that of an authority (CA:TRUE), which no server may show; sign \
         one for the server with it"
    )]
    OfAuthority,
    /// The server wants one of ours.
    #[error("the server asks for a certificate of ours, and there is none to show yet")]
    OursWanted,
    /// The server does not speak TLS.
    #[error("the server does not answer in TLS; is its URL to begin with http://?")]
    NoTls,
    /// Something else.
    #[error("the server's certificate cannot be accepted: {why}")]
    Other {
        /// What, in the words of the TLS library.
        why: String,
    },
}

impl CertificateProblem {
    /// The problem that `error` comes from, if it comes from one.
    #[must_use]
    pub fn behind(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            match error.downcast_ref() {
                Some(rustls::Error::InvalidCertificate(problem)) => return Some(problem.into()),
                Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                    return Some(Self::NoTls);
                }
                Some(rustls::Error::AlertReceived(AlertDescription::CertificateRequired)) => {
                    return Some(Self::OursWanted);
                }
                _ => {}
            }
            // An I/O error's `source` leaves out the very error it holds.
            if let Some(held) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
                return Self::behind(held);
            }
            next = error.source();
        }
        None
    }
}

impl From<&CertificateError> for CertificateProblem {
    fn from(error: &CertificateError) -> Self {
        match error {
            // The latter when the authority that signed has the name of one that is trusted, as after
            // a cluster made itself a new one.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Self::UnknownAuthority
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => Self::Expired,
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Self::NotYetValid
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Self::WrongName
            }
            // The library that verifies has no variant of its own for it here.
            other if other.to_string().contains("CaUsedAsEndEntity") => Self::OfAuthority,
            other => Self::Other { why: other.to_string() },
        }
    }
}
