//! A connection that fails when its client takes too long.

use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::Limits;

/// Bounds the time of each request as a whole, head and body: a limit on the pause between two
/// bytes would let a client send one byte at a time for ever.
pub(super) struct Paced {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    phase: Phase,
    limits: Limits,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Phase {
    /// A request is being read, or the first one is awaited.
    Request,
    /// Between an answer and the next request.
    Idle,
}

impl Paced {
    pub(super) fn new(stream: TcpStream, limits: Limits) -> Self {
        Self { stream, deadline: Box::pin(sleep(limits.request)), phase: Phase::Request, limits }
    }

    fn enter(&mut self, phase: Phase) {
        if self.phase != phase {
            let limit = match phase {
                Phase::Request => self.limits.request,
                Phase::Idle => self.limits.idle,
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
        self.enter(Phase::Idle);
        match Pin::new(&mut self.stream).poll_write(cx, buf) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => self.poll_deadline(cx),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
