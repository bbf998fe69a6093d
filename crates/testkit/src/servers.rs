//! Servers of other programs, on ports that are free.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

/// Somebody else may take a port between its being found free and its being listened on: another one is tried then.
const PORTS_TRIED: usize = 5;
/// How often a server is asked whether it is ready.
const PAUSE: Duration = Duration::from_millis(100);
/// So often at most: half a minute.
const PAUSES_MAX: usize = 300;

/// Starts a server on a loopback port, which `start` gets, and waits until it says at `/-/ready` that it is.
///
/// # Panics
/// When there is no server within half a minute.
pub fn started(mut start: impl FnMut(u16) -> Child) -> (Child, u16) {
    let mut try_one = || {
        let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = listener.expect("a free port").port();
        let mut child = start(port);
        if answers(&mut child, port) {
            return Some((child, port));
        }
        // It has ended, or never answered.
        let _ = child.kill();
        let _ = child.wait();
        None
    };
    (0..PORTS_TRIED).find_map(|_| try_one()).expect("the server answers within half a minute")
}

/// Whether a server answers that is still there: another one may answer in its place.
fn answers(child: &mut Child, port: u16) -> bool {
    let mut is_there = || matches!(child.try_wait(), Ok(None));
    for _ in 0..PAUSES_MAX {
        sleep(PAUSE);
        if !is_there() {
            return false;
        }
        if is_ready(port).unwrap_or(false) {
            sleep(PAUSE);
            return is_there();
        }
    }
    false
}

fn is_ready(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /-/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().next().is_some_and(|line| line.contains(" 200 ")))
}
