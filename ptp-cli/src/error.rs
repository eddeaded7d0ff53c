//! How an error reaches a person: the chain of causes, then what to do about it.

use std::io;

use crate::absent::NotBuilt;
use crate::output::OutputError;
use crate::refused::InputError;
use crate::simulate::SimulateError;
use crate::thresholds::ThresholdsError;
use crate::topology::TopologyFileError;

/// Writes an error, its causes, and hints to stderr.
pub(crate) fn print(error: &anyhow::Error) {
    let style = anstyle::AnsiColor::Red.on_default().bold();
    anstream::eprintln!("{style}error{style:#}: {error}");
    for cause in error.chain().skip(1) {
        anstream::eprintln!("  caused by: {cause}");
    }
    if let Some(hint) = hint(error) {
        anstream::eprintln!("  hint: {hint}");
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        cause
            .downcast_ref::<InputError>()
            .and_then(InputError::hint)
            .or_else(|| cause.downcast_ref::<NotBuilt>().map(NotBuilt::hint))
            .or_else(|| cause.downcast_ref::<OutputError>().and_then(OutputError::hint))
            .or_else(|| cause.downcast_ref::<ThresholdsError>().and_then(ThresholdsError::hint))
            .or_else(|| cause.downcast_ref::<SimulateError>().and_then(SimulateError::hint))
            .or_else(|| cause.downcast_ref::<TopologyFileError>().and_then(TopologyFileError::hint))
    })
}

/// Whether the reader of our output went away, which is no error of ours.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
