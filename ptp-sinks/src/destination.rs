//! One place that alerts are posted to: its URL, whom to trust there, and what to show it.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ptp_api::Secret;
use ptp_events::client::{Authorities, CertificateProblem, Tls, TlsError};

/// How long one call may take.
const CALL: Duration = Duration::from_secs(10);
/// The longest token that is read, in bytes. Those of service accounts have about 1 KiB.
const MAX_TOKEN_BYTES: u64 = 64 << 10;
/// How much of an answer is read, in bytes, and shown, in characters.
const MAX_ANSWER_BYTES: usize = 4096;
const MAX_ANSWER_CHARS: usize = 200;

/// Where to post.
///
/// The CA file and the token's file are read again for each call, and so may change while the agent
/// runs, as those of a cluster do.
#[derive(Clone, Debug)]
pub struct Destination {
    url: Secret,
    tls: Tls,
    token_file: Option<PathBuf>,
    /// The client of the last call, and whom it trusts.
    client: Option<(Authorities, reqwest::Client)>,
}

/// What a server said to an alert it took.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// Its status; `None` where HTTP is not what was spoken.
    pub status: Option<u16>,
    /// The beginning of what it wrote.
    pub said: String,
}

/// Why an alert was not delivered. Never names the URL: it may be a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// No client could be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The server is not who it should be.
    #[error("{problem}")]
    Certificate {
        /// What is wrong with its certificate.
        problem: CertificateProblem,
    },
    /// The token to show is not there.
    #[error("cannot read the token file `{}`", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The token could not be sent.
    #[error("the token file `{}` holds no token that can be sent", path.display())]
    BadToken {
        /// The file.
        path: PathBuf,
    },
    /// No answer, or none in time.
    #[error("no answer")]
    Unreachable {
        /// Why, without the URL.
        #[source]
        source: reqwest::Error,
    },
    /// The API server did not take it.
    #[error("the API server did not take the event")]
    Kubernetes {
        /// Why not.
        source: Box<kube::Error>,
    },
    /// Not now; perhaps the server said when.
    #[error("refused for now with status {status}{said}")]
    Later {
        /// The status.
        status: u16,
        /// How long the server wants us to wait.
        after: Option<Duration>,
        /// What else it said.
        said: Said,
    },
    /// Not at all: trying again would change nothing.
    #[error("refused with status {status}{said}")]
    Refused {
        /// The status.
        status: u16,
        /// What else it said.
        said: Said,
    },
}

/// The beginning of a refusal's body, after a colon where there is one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Said(pub String);

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

impl Destination {
    /// Posts to `url`, trusting as `tls` says, and shows the token in that file if there is one.
    #[must_use]
    pub const fn new(url: Secret, tls: Tls, token_file: Option<PathBuf>) -> Self {
        Self { url, tls, token_file, client: None }
    }

    /// Where it posts; a secret.
    #[must_use]
    pub const fn url(&self) -> &Secret {
        &self.url
    }

    /// Posts once and reads the answer; `body` adds what is sent.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn post(
        &mut self,
        body: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Result<Answer, SinkError> {
        let (client, token) = self.client().await?;
        let mut request = client.post(self.url.expose()).timeout(CALL);
        if let Some(token) = token {
            request = request.bearer_auth(token.expose());
        }
        let sent = body(request).send().await;
        let answer = sent.map_err(|source| match CertificateProblem::behind(&source) {
            Some(problem) => SinkError::Certificate { problem },
            None => SinkError::Unreachable { source: source.without_url() },
        })?;
        self.read(answer).await
    }

    async fn read(&self, mut answer: reqwest::Response) -> Result<Answer, SinkError> {
        let status = answer.status();
        let after = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let mut body = Vec::new();
        while body.len() < MAX_ANSWER_BYTES
            && let Ok(Some(chunk)) = answer.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
        let said = self.shown(&body);
        let code = status.as_u16();
        if status.is_success() {
            return Ok(Answer { status: Some(code), said });
        }
        let said = if status.is_redirection() {
            "it leads elsewhere, and redirects are not followed; give the URL it leads to"
                .to_owned()
        } else {
            said
        };
        let said = Said(said);
        // Who may post, and where, is mended by somebody or by a token that rotates; what is wrong
        // with the alert itself is not.
        let passes = matches!(code, 401 | 403 | 404 | 408 | 425 | 429) || code >= 500;
        Err(if passes {
            SinkError::Later { status: code, after, said }
        } else {
            SinkError::Refused { status: code, said }
        })
    }

    /// The beginning of a body on one line; nothing of one that says our own URL back, in which a
    /// path or a query may be a secret.
    fn shown(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(&body[..body.len().min(MAX_ANSWER_BYTES)]);
        let url = reqwest::Url::parse(self.url.expose());
        let repeats = url.is_ok_and(|url| {
            let path = url.path().trim_end_matches(super::alertmanager::PATH);
            let mut parts: Vec<_> =
                url.query_pairs().map(|(_, value)| value.into_owned()).collect();
            parts.extend(url.password().map(str::to_owned));
            parts.push(url.username().to_owned());
            // What is shorter is no secret, and stands in many a text.
            let told = |part: &String| part.len() > 3 && text.contains(part.as_str());
            (path.len() > 1 && text.contains(path)) || parts.iter().any(told)
        });
        if repeats {
            return String::new();
        }
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().filter(|c| !c.is_control()).take(MAX_ANSWER_CHARS).collect()
    }

    /// A client that trusts what the CA file says now, and the token there is now.
    async fn client(&mut self) -> Result<(reqwest::Client, Option<Secret>), SinkError> {
        let (tls, path) = (self.tls.clone(), self.token_file.clone());
        // A volume may hang, and must not take the receiver along.
        let read = tokio::task::spawn_blocking(move || {
            Ok::<_, SinkError>((tls.read()?, path.as_deref().map(read_token).transpose()?))
        });
        let (authorities, token) = match read.await {
            Ok(read) => read?,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        };
        if let Some((trusted, client)) = &self.client
            && *trusted == authorities
        {
            return Ok((client.clone(), token));
        }
        let built = authorities.builder()?.build();
        let client = built.map_err(|source| TlsError::Setup { source })?;
        self.client = Some((authorities, client.clone()));
        Ok((client, token))
    }
}

/// The token in a file, without the line break that editors add.
///
/// # Errors
/// When the file cannot be read, is longer than a token can be, or holds what no header may.
pub fn read_token(path: &Path) -> Result<Secret, SinkError> {
    let mut text = String::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(MAX_TOKEN_BYTES + 1).read_to_string(&mut text));
    let read = read.and_then(|size| match u64::try_from(size) {
        Ok(size) if size <= MAX_TOKEN_BYTES => Ok(()),
        _ => Err(io::ErrorKind::FileTooLarge.into()),
    });
    read.map_err(|source| SinkError::Token { path: path.to_owned(), source })?;
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SinkError::BadToken { path: path.to_owned() });
    }
    Ok(Secret::new(token))
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.status {
            Some(status) if self.said.is_empty() => write!(f, "status {status}"),
            Some(status) => write!(f, "status {status}: {}", self.said),
            None => f.write_str(&self.said),
        }
    }
}
