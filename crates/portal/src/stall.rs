//! A connection that ends when its other side reads nothing for a while.
//!
//! Not here: how many connections there are (`server`).

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A connection of which no write stays pending for longer than a time.
#[derive(Debug)]
pub(crate) struct Impatient<S> {
    inner: S,
    stalled_for_max: Duration,
    /// While a write is pending.
    ends: Option<Pin<Box<Sleep>>>,
}

impl<S> Impatient<S> {
    pub(crate) const fn new(inner: S, stalled_for_max: Duration) -> Self {
        Self { inner, stalled_for_max, ends: None }
    }

    /// What became of a write; a pending one ends with an error once it took too long.
    fn waited<T>(&mut self, became: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if became.is_ready() {
            self.ends = None;
            return became;
        }
        let ends = self.ends.get_or_insert_with(|| Box::pin(sleep(self.stalled_for_max)));
        ready!(ends.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "nothing of an answer was taken for too long",
        )))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Impatient<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Impatient<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let became = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.waited(became, cx)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Of a flush nothing is kept: a socket has none, and a write that waits beside it goes on waiting.
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let became = Pin::new(&mut self.inner).poll_shutdown(cx);
        self.waited(became, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let became = Pin::new(&mut self.inner).poll_write_vectored(cx, parts);
        self.waited(became, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const NEVER: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_write_of_which_nothing_is_taken_ends_after_a_while() {
        let (near, _far) = duplex(64);
        let mut near = Impatient::new(near, SOON);
        let ended = near.write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(ended.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn whoever_takes_a_part_has_the_whole_time_again() {
        let (near, mut far) = duplex(64);
        let mut near = Impatient::new(near, NEVER);
        near.write_all(&[0; 64]).await.unwrap();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut near).poll_write(&mut cx, &[0]).is_pending());
        assert!(near.ends.is_some());
        far.read_exact(&mut [0; 1]).await.unwrap();
        assert!(Pin::new(&mut near).poll_write(&mut cx, &[0]).is_ready());
        assert!(near.ends.is_none());
    }
}
