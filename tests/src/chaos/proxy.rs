//! A wire that can be cut: a TCP proxy that passes, holds everything back without a word, or cuts at once.
//!
//! Held back is what a half-open connection looks like from both ends: nothing comes, nothing is refused. Not here: who
//! is at the ends.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// How often a thread that holds something back, or hears nothing, looks at what is wanted now.
const LOOK_EVERY: Duration = Duration::from_millis(20);

const PASSING: u8 = 0;
const HOLDING: u8 = 1;
const CLOSED: u8 = 2;

/// The wire. Its connections are cut when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    state: Arc<AtomicU8>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// A wire to this port of this machine.
    ///
    /// # Panics
    /// If no port is free.
    #[must_use]
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let (state, open) = (Arc::new(AtomicU8::new(PASSING)), Arc::new(Mutex::new(Vec::new())));
        let (of_thread, kept) = (Arc::clone(&state), Arc::clone(&open));
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&of_thread);
                match state.load(Ordering::SeqCst) {
                    CLOSED => drop(near.shutdown(Shutdown::Both)),
                    // Accepted by the kernel before we look: that can not be told from a peer that says nothing.
                    _ => connect(&near, port, &state, &kept),
                }
            }
        });
        Self { port: own, state, open }
    }

    /// The port at this end.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Holds everything back from now on, without a word to anybody.
    pub fn hold(&self) {
        self.state.store(HOLDING, Ordering::SeqCst);
    }

    /// Cuts every connection, and refuses new ones.
    ///
    /// # Panics
    /// If a thread of it panicked.
    pub fn cut(&self) {
        self.state.store(CLOSED, Ordering::SeqCst);
        self.cut_open();
    }

    /// Passes on what comes from now on, and what was held back.
    pub fn pass(&self) {
        self.state.store(PASSING, Ordering::SeqCst);
    }

    fn cut_open(&self) {
        for stream in self.open.lock().unwrap().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.store(CLOSED, Ordering::SeqCst);
        self.cut_open();
    }
}

fn connect(near: &TcpStream, port: u16, state: &Arc<AtomicU8>, open: &Mutex<Vec<TcpStream>>) {
    let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
        drop(near.shutdown(Shutdown::Both));
        return;
    };
    for (from, to) in [(near, &far), (&far, near)] {
        let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        open.lock().unwrap().push(from.try_clone().unwrap());
        let state = Arc::clone(state);
        thread::spawn(move || pass(from, to, &state));
    }
}

/// Passes on one direction until either end is closed.
fn pass(mut from: TcpStream, mut to: TcpStream, state: &AtomicU8) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = from.read(&mut buffer) {
        while state.load(Ordering::SeqCst) == HOLDING {
            thread::sleep(LOOK_EVERY);
        }
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { break };
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}
