//! What this build leaves out, and how to get it: a first diagnosis needs no SQLite and no HTTP, which
//! take minutes to compile.

/// Something that was asked for was not compiled in.
#[derive(Debug, thiserror::Error)]
#[error("`{what}` is left out of this build of ptp-cli")]
pub(crate) struct NotBuilt {
    what: &'static str,
    feature: &'static str,
}

impl NotBuilt {
    pub(crate) fn hint(&self) -> String {
        let Self { feature, .. } = self;
        format!(
            "`cargo run --release -p ptp-cli --features full -- …` has everything ({feature} alone would do)"
        )
    }
}

/// Stands in for [`crate::live`].
#[cfg(not(feature = "live"))]
pub(crate) mod live {
    use std::io::Write;

    use super::NotBuilt;
    use crate::Outcome;
    use crate::args::{LiveArgs, RecordArgs, ReplayArgs};

    const FEATURE: &str = "live";

    pub(crate) fn record(_: &RecordArgs) -> anyhow::Result<Outcome> {
        Err(NotBuilt { what: "record", feature: FEATURE }.into())
    }

    pub(crate) fn replay(_: &ReplayArgs, _: &mut dyn Write) -> anyhow::Result<Outcome> {
        Err(NotBuilt { what: "replay", feature: FEATURE }.into())
    }

    /// Stands in for [`crate::simulate`]'s way to serve.
    pub(crate) fn serve(args: &LiveArgs) -> anyhow::Result<()> {
        args.check()?;
        Err(NotBuilt { what: "simulate --serve", feature: FEATURE }.into())
    }
}

/// Stands in for [`crate::remote`].
#[cfg(not(feature = "live"))]
pub(crate) mod remote {
    use std::io::Write;

    use super::NotBuilt;
    use crate::Outcome;
    use crate::args::{IncidentsArgs, NodesArgs, SilenceArgs, WatchArgs};

    const FEATURE: &str = "live";

    pub(crate) fn incidents(_: &IncidentsArgs, _: &mut dyn Write) -> anyhow::Result<Outcome> {
        Err(NotBuilt { what: "incidents", feature: FEATURE }.into())
    }

    pub(crate) fn nodes(_: &NodesArgs, _: &mut dyn Write) -> anyhow::Result<Outcome> {
        Err(NotBuilt { what: "nodes", feature: FEATURE }.into())
    }

    pub(crate) fn watch(_: &WatchArgs) -> anyhow::Result<Outcome> {
        Err(NotBuilt { what: "watch", feature: FEATURE }.into())
    }

    pub(crate) fn silence(_: &SilenceArgs, _: &mut dyn Write) -> anyhow::Result<Outcome> {
        Err(NotBuilt { what: "silence", feature: FEATURE }.into())
    }
}

/// Stands in for [`crate::journal`].
#[cfg(not(feature = "journal"))]
pub(crate) mod journal {
    use std::path::Path;

    use ptp_diagnostics::{Report, Settings};
    use ptp_events::{Input, Received};

    use super::NotBuilt;
    use crate::args::DiagnoseArgs;
    use crate::refused::InputError;

    const NOT_BUILT: NotBuilt = NotBuilt { what: "--journal", feature: "journal" };

    pub(crate) fn each(_: &Path, _: impl FnMut(&Input, Received)) -> Result<(), InputError> {
        Err(NOT_BUILT.into())
    }

    pub(crate) fn diagnose(_: &Path, _: &DiagnoseArgs, _: &Settings) -> Result<Report, InputError> {
        Err(NOT_BUILT.into())
    }
}
