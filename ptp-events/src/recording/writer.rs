//! Writes recordings.

use std::io::{self, Write};

use serde::Serialize;

use super::Origin;
use crate::{Event, NodeName, Received};

/// Writes one event per line, with when and how it was received.
pub struct Writer<W> {
    out: W,
}

#[derive(Serialize)]
struct Head<'a> {
    received: Received,
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    node: Option<&'a NodeName>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    /// Writes one event.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write(&mut self, received: Received, origin: Origin, event: &Event) -> io::Result<()> {
        self.write_raw(received, origin, None, &event.to_vec())
    }

    /// Writes a body as it was received; `node` is whom we asked, for bodies that do not say.
    ///
    /// `body` must be JSON: the line breaks in it become spaces, which in JSON changes nothing.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn write_raw(
        &mut self,
        received: Received,
        origin: Origin,
        node: Option<&NodeName>,
        body: &[u8],
    ) -> io::Result<()> {
        let mut line = serde_json::to_vec(&Head { received, origin, node })?;
        line.pop();
        line.extend_from_slice(b",\"event\":");
        line.extend(body.iter().map(
            |byte| {
                if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }
            },
        ));
        line.extend_from_slice(b"}\n");
        self.out.write_all(&line)
    }

    /// Hands on everything that was written so far.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Hands back what was written to, after flushing it.
    ///
    /// # Errors
    /// When `out` fails.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
