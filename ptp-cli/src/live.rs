//! `ptp-cli record` and `replay`: recordings from and to live endpoints.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use ptp_events::client::Tls;
use ptp_events::recording::{Merge, Origin, Reader, Writer, decompress};
use ptp_events::server::{Limits, Refusal, receiver, serve};
use ptp_events::{Event, ReceiveClock, Received};
use ptp_subscriber::directory::{Directory, Untokened};
use ptp_subscriber::driver::{self, What};
use ptp_subscriber::gate::{Accepted, Gate, Intake};
use ptp_subscriber::token::TokenKey;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::Outcome;
use crate::args::{RecordArgs, ReplayArgs};
use crate::fleet::Fleet;
use crate::{interrupt, output};

/// How long leaving publishers, and then requests under way, may take.
const LEAVE_WITHIN: Duration = Duration::from_millis(400);

type Shared = Arc<Mutex<Writer<To>>>;

/// A file, or standard output. What is written goes out with each event: whoever reads along sees it at
/// once, and nothing is lost when we are killed; of a `.zst` file the last second may be.
struct To(Option<output::Output>);

impl Write for To {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(file) => file.write(bytes),
            None => io::stdout().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Some(file) => file.flush(),
            None => io::stdout().flush(),
        }
    }
}

/// Writes what is pushed; what cannot be written ends the recording.
struct ToFile {
    out: Shared,
    failed: mpsc::Sender<io::Error>,
}

impl Intake for ToFile {
    async fn take(&self, accepted: Vec<Accepted>) -> Result<(), Refusal> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let mut written = Ok(());
        for Accepted { received, origin, event, raw, .. } in accepted {
            written =
                written.and_then(|()| out.write_raw(received, origin, Some(&event.node), &raw));
        }
        written.and_then(|()| out.flush()).map_err(|error| {
            // The first one is enough.
            let _ = self.failed.try_send(error);
            Refusal::CannotStore
        })
    }
}

pub(crate) fn record(args: &RecordArgs) -> anyhow::Result<Outcome> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(recording(args))
}

async fn recording(args: &RecordArgs) -> anyhow::Result<Outcome> {
    interrupt::watch();
    let file = match args.output.as_path() {
        path if path == Path::new("-") => None,
        path => Some(output::create(path, args.force)?),
    };
    let out: Shared = Arc::new(Mutex::new(Writer::new(To(file))));
    let clock = ReceiveClock::new(|| {
        let nanos = jiff::Timestamp::now().as_nanosecond();
        Received::from_nanos(i64::try_from(nanos).unwrap_or(i64::MAX))
    });
    // Good for this process only: nobody else is to post to us.
    let secret = format!("{}-{:?}-{:?}", std::process::id(), clock.stamp(), Instant::now());
    let directory = Directory::new(TokenKey::new(secret.as_bytes())?, Untokened::Refuse);
    let (failed, mut failures) = mpsc::channel(1);
    let intake = ToFile { out: Arc::clone(&out), failed };
    let gate = Arc::new(Gate::new(directory.clone(), intake));
    let listener = TcpListener::bind(args.listen)
        .await
        .with_context(|| format!("cannot listen on {}", args.listen))?;
    let local = listener.local_addr()?;
    let stop = CancellationToken::new();
    let serving = tokio::spawn(serve(
        listener,
        receiver(gate, clock.clone()),
        Limits::default(),
        stop.clone().cancelled_owned(),
    ));
    let callback = args.endpoint.clone().unwrap_or_else(|| format!("http://{local}"));
    let targets = ptp_subscriber::discovery::fixed(args.publishers.iter().cloned());
    let (seen, mut observations) = mpsc::channel(1024);
    let mut settings = driver::Settings::new(&callback);
    settings.tls = Tls::with_ca_file(args.ca_file.clone());
    // An interrupt is to end it within a second.
    settings.leave_within = LEAVE_WITHIN;
    let leaving = CancellationToken::new();
    let driving =
        tokio::spawn(driver::run(targets, settings, directory, clock, seen, leaving.clone()));
    let deadline = tokio::time::sleep(args.duration.unwrap_or(Duration::from_hours(24 * 365)));
    let mut deadline = std::pin::pin!(deadline);
    anstream::eprintln!("recording; interrupt to stop");
    let mut written = Ok(());
    while written.is_ok() {
        tokio::select! {
            () = &mut deadline => break,
            () = interrupt::wait() => break,
            Some(error) = failures.recv() => written = Err(error),
            seen = observations.recv() => match seen {
                Some(seen) => written = note(&out, &seen),
                None => break,
            },
        }
    }
    leaving.cancel();
    // What is still seen while leaving belongs to the recording too, if it can be written.
    while let Some(seen) = observations.recv().await {
        if written.is_ok() {
            written = note(&out, &seen);
        }
    }
    driving.await??;
    stop.cancel();
    // A publisher that is still posting is not waited for.
    let _ = tokio::time::timeout(LEAVE_WITHIN, serving).await;
    written.with_context(|| format!("cannot write `{}`", args.output.display()))?;
    let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
    let To(file) = std::mem::replace(&mut *out, Writer::new(To(None))).finish()?;
    file.map_or(Ok(()), output::Output::finish)
        .with_context(|| format!("cannot write `{}`", args.output.display()))?;
    Ok(Outcome::Healthy)
}

/// Writes what was pulled, and tells of trouble.
fn note(out: &Shared, seen: &driver::Observation) -> io::Result<()> {
    let publisher = seen.publisher.as_str();
    match &seen.what {
        What::Pulled { event, raw } => {
            let mut out = out.lock().unwrap_or_else(PoisonError::into_inner);
            out.write_raw(seen.received, Origin::Pull, Some(&event.node), raw)?;
            out.flush()?;
        }
        What::Unreachable { why } => anstream::eprintln!("{publisher} is unreachable: {why}"),
        What::Reachable { .. } => anstream::eprintln!("{publisher} is reachable"),
        What::Missing { resource, why, .. } => {
            let why = why.as_deref().unwrap_or("it does not say why");
            anstream::eprintln!(
                "{publisher} has not accepted a subscription to {resource} for a minute: {why}"
            );
        }
        _ => {}
    }
    Ok(())
}

pub(crate) fn replay(args: &ReplayArgs, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    args.live.check()?;
    let mut sources = Vec::new();
    for path in &args.files {
        let file = File::open(path).with_context(|| format!("cannot open `{}`", path.display()))?;
        sources.push(Reader::new(decompress(BufReader::new(file))?));
    }
    let mut events: Vec<(Received, Event)> = Vec::new();
    for (source, item) in Merge::new(sources) {
        let path = args.files[source].display();
        let recorded = item.with_context(|| format!("cannot replay `{path}`"))?;
        let time = recorded.time();
        // A publisher publishes, and nothing that only a log shows.
        events.extend(recorded.evidence.published().map(|event| (time, event)));
    }
    events.sort_by_key(|(time, _)| *time);
    anyhow::ensure!(!events.is_empty(), "there are no events to replay");
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(replaying(args, events, out))
}

async fn replaying(
    args: &ReplayArgs,
    events: Vec<(Received, Event)>,
    out: &mut dyn Write,
) -> anyhow::Result<Outcome> {
    interrupt::watch();
    let mut fleet =
        Fleet::bind(events.iter().map(|(_, event)| &event.node), &args.live, out).await?;
    let play = async {
        fleet.subscribed(args.live.wait).await;
        let (first, begun) = (events[0].0, tokio::time::Instant::now());
        for (time, event) in &events {
            let after = time.since(first).div_f64(args.live.speed);
            tokio::time::sleep_until(begun + after).await;
            if let Some(publisher) = fleet.get(&event.node) {
                publisher.publish(event).await;
            }
        }
        tokio::time::sleep(args.live.linger).await;
    };
    tokio::select! {
        () = play => {}
        () = interrupt::wait() => {}
    }
    fleet.stop().await;
    Ok(Outcome::Healthy)
}
