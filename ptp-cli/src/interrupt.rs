//! SIGINT and SIGTERM: whatever runs ends soon, with what it has.

use std::sync::LazyLock;

use tokio_util::sync::CancellationToken;

static STOP: LazyLock<CancellationToken> = LazyLock::new(CancellationToken::new);

/// Cancelled by the first SIGINT or SIGTERM from now on; the second ends the program at once, as
/// somebody who presses Ctrl-C again wants.
pub(crate) fn token() -> CancellationToken {
    static HANDLER: LazyLock<Result<(), ctrlc::Error>> = LazyLock::new(|| {
        ctrlc::set_handler(|| {
            if STOP.is_cancelled() {
                #[expect(clippy::exit, reason = "it is what was asked for, twice")]
                std::process::exit(130);
            }
            STOP.cancel();
        })
    });
    if let Err(error) = &*HANDLER {
        anstream::eprintln!("warning: an interrupt will not be heard: {error}");
    }
    STOP.clone()
}
