//! A client that sends what it is told and reads what it gets, and the server it talks to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use narthex_server::{Server, ServerOptions, Services};
use tokio::sync::oneshot;

/// A server that ends with the test.
pub(crate) struct Running {
    pub(crate) server: Arc<Server>,
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// A server that is not ready.
    pub(crate) fn start(options: ServerOptions) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let server = Server::new(options);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = Arc::clone(&server);
        let thread = std::thread::spawn(move || {
            let stopped = async {
                let _ = stopped.await;
            };
            served.run(listener, stopped).expect("the listener can be used");
        });
        Running { server, address, stop: Some(stop), thread: Some(thread) }
    }

    /// A server of these services.
    pub(crate) fn serving(options: ServerOptions, services: Services) -> Running {
        let running = Running::start(options);
        running.server.provide(services);
        running
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
        stream
    }

    /// Sends a request and reads its answer.
    pub(crate) fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|header| header.0 == "Host") {
            head += "Host: localhost\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).expect("the head is taken");
        // A server may answer before it has read all of a body that it refuses.
        let _ = stream.write_all(body);
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        Answer::read(&bytes)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"")
    }

    /// Tells the server to stop; the thread that serves.
    pub(crate) fn stop(&mut self) -> Option<JoinHandle<()>> {
        drop(self.stop.take());
        self.thread.take()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(thread) = self.stop() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server ends without a panic");
        }
    }
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// Chunks joined.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn read(bytes: &[u8]) -> Answer {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
        let head = str::from_utf8(&bytes[..end]).expect("a head is text");
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).expect("a status");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let is_chunked =
            headers.iter().any(|(name, value)| name == "transfer-encoding" && value == "chunked");
        let body = &bytes[end + 4..];
        let body = if is_chunked { joined(body) } else { body.to_vec() };
        Answer { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.0 == name).map(|header| header.1.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("a text")
    }
}

/// Chunks as one body; what is cut off ends it.
fn joined(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let length = str::from_utf8(&bytes[..end]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
        let length = length.expect("a chunk begins with its length");
        let data = &bytes[end + 2..];
        body.extend_from_slice(&data[..length.min(data.len())]);
        bytes = data.get(length + 2..).unwrap_or(b"");
    }
    body
}
