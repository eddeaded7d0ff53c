//! Settings of the engine, from a file and from the environment.

use std::io;
use std::path::{Path, PathBuf};

use ptp_diagnostics::settings::SettingsError;
use ptp_diagnostics::{Overrides, Settings};

use crate::args::OriginalEnv;

/// Why there are no settings to work with.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ThresholdsError {
    #[error("cannot read the thresholds in `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot understand the thresholds in `{}`", path.display())]
    Toml { path: PathBuf, source: toml::de::Error },
    #[error("the thresholds cannot work: {}", list(.0))]
    Mistakes(Vec<SettingsError>),
    #[error("{0}")]
    Resources(String),
}

fn list(mistakes: &[SettingsError]) -> String {
    mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl ThresholdsError {
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Toml { .. } => Some(
                "keys are as in docs/thresholds.md, such as `offset-ns = 100` or \
                 `loss-of-lock = \"10s\"`"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

/// Reads the file, if there is one, and lets the environment override it.
pub(crate) fn load(file: Option<&Path>, env: &OriginalEnv) -> Result<Settings, ThresholdsError> {
    let mut settings = match file {
        None => Settings::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|source| ThresholdsError::Read { path: path.to_owned(), source })?;
            toml::from_str(&text)
                .map_err(|source| ThresholdsError::Toml { path: path.to_owned(), source })?
        }
    };
    let overrides = Overrides {
        offset_ns: env.offset_threshold,
        lost_states: env.lost_states.clone(),
        alert_resources: env.alert_resources.clone(),
    };
    overrides.apply(&mut settings).map_err(ThresholdsError::Resources)?;
    let mistakes = settings.mistakes();
    if mistakes.is_empty() { Ok(settings) } else { Err(ThresholdsError::Mistakes(mistakes)) }
}
