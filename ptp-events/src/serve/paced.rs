//! A connection that fails when its client takes too long.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::{Limits, Trust};

/// Bounds the time of each request as a whole, head and body: a limit on the pause between two
/// bytes would let a client send one byte at a time for ever.
pub(super) struct Paced {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    phase: Phase,
    limits: Limits,
    trust: Trust,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Phase {
    /// A request is being read, or the first one is awaited.
    Request,
    /// An answer is written, and its client does not take it.
    Stalled,
    /// Between an answer and the next request, or between two parts of an answer that goes on.
    Idle,
}

impl Paced {
    pub(super) fn new(stream: TcpStream, limits: Limits, trust: Trust) -> Self {
        let deadline = Box::pin(sleep(limits.request));
        Self { stream, deadline, phase: Phase::Request, limits, trust }
    }

    fn enter(&mut self, phase: Phase) {
        // What is written shows that the client still takes it: a stream of events may last for days.
        if self.phase != phase || phase == Phase::Idle {
            let limit = match phase {
                Phase::Request | Phase::Stalled => self.limits.request,
                Phase::Idle if self.trust.is_granted() => self.limits.idle,
                Phase::Idle => self.limits.stranger_idle,
            };
            self.phase = phase;
            self.deadline.as_mut().reset(Instant::now() + limit);
        }
    }

    fn poll_deadline<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(cx, buf) {
            Poll::Ready(done) => {
                self.enter(Phase::Request);
                Poll::Ready(done)
            }
            Poll::Pending => self.poll_deadline(cx),
        }
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Ready(done) => {
                self.enter(Phase::Idle);
                Poll::Ready(done)
            }
            Poll::Pending => {
                self.enter(Phase::Stalled);
                self.poll_deadline(cx)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
