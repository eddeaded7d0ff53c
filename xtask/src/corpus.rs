//! A synthetic recording for measuring: cheap to make, the same every time, shaped like the real
//! thing. It is no simulation; nothing is concluded from its diagnosis.

use std::io::{self, Write};

/// Writes `events` events of `nodes` nodes as JSON Lines.
///
/// Each node's OS clock, PTP clock and overall state are sampled in turn, 1 ms apart over all
/// nodes; about one event in a thousand begins a HOLDOVER that lasts until the clock's next turn.
pub(crate) fn write(mut out: impl Write, events: u64, nodes: u64) -> io::Result<()> {
    let mut random: u64 = 0x9E37_79B9_7F4A_7C15;
    for n in 0..events {
        // xorshift64: enough to vary offsets and to choose who fails.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let salt = random >> 32;
        let node = n % nodes;
        let turn = n / nodes;
        let offset = i64::try_from(random % 81).unwrap_or(0) - 40;
        let state = if random.is_multiple_of(1000) { "HOLDOVER" } else { "LOCKED" };
        let (source, kind, instance) = match turn % 3 {
            0 => ("ptp-status/lock-state", "ptp-status.ptp-state-change", "ens1fx/master"),
            1 => (
                "sync-status/os-clock-sync-state",
                "sync-status.os-clock-sync-state-change",
                "CLOCK_REALTIME",
            ),
            _ => (
                "sync-status/sync-state",
                "sync-status.synchronization-state-change",
                "sync/sync-status/sync-state",
            ),
        };
        let (s, ms) = (n / 1000, n % 1000);
        let (hour, minute, second) = (s / 3600 % 24, s / 60 % 60, s % 60);
        let day = 1 + s / 86_400;
        let address = format!("/cluster/node/worker-{node}.ran.example.com/{instance}");
        write!(
            out,
            r#"{{"specversion":"1.0","id":"{salt:08x}-7787-4862-986f-2dfc{n:08x}","source":"/sync/{source}","type":"event.sync.{kind}","time":"2026-11-{day:02}T{hour:02}:{minute:02}:{second:02}.{ms:03}362012Z","data":{{"version":"1.0","values":[{{"ResourceAddress":"{address}","data_type":"notification","value_type":"enumeration","value":"{state}"}}"#
        )?;
        if turn % 3 < 2 {
            write!(
                out,
                r#",{{"ResourceAddress":"{address}","data_type":"metric","value_type":"decimal64.3","value":"{offset}"}}"#
            )?;
        }
        out.write_all(b"]}}\n")?;
    }
    out.flush()
}
