//! A Prometheus on a loopback port with a store of its own, and HTTP as far as it needs it.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use narthex_testkit::ScratchDir;

/// A running server, ended with the test; its folder goes with it.
pub(crate) struct Server {
    child: Child,
    _folder: ScratchDir,
    port: u16,
    connection: RefCell<Option<BufReader<TcpStream>>>,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// A server with these features that takes samples by remote write.
    pub(crate) fn start(prometheus: &Path, name: &str, features: &str) -> Server {
        let folder = ScratchDir::new(&format!("live-{name}"));
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, "").expect("a file can be written");
        let (child, port) = narthex_testkit::servers::started(|port| {
            Command::new(prometheus)
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
                .arg("--storage.tsdb.retention.time=100y")
                .arg("--web.enable-remote-write-receiver")
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .arg(format!("--enable-feature={features}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the server starts")
        });
        Server { child, _folder: folder, port, connection: RefCell::new(None) }
    }

    /// Hands over a remote-write request.
    pub(crate) fn write(&self, body: &[u8]) {
        let headers = "Content-Type: application/x-protobuf\r\nContent-Encoding: snappy\r\n\
                       X-Prometheus-Remote-Write-Version: 0.1.0\r\n";
        let (status, text) = self.send("POST", "/api/v1/write", headers, body).expect("the server answers");
        assert_eq!(status / 100, 2, "{text}");
    }

    /// The answer of the HTTP API to a form.
    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> String {
        let fields: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.send("POST", path, headers, fields.join("&").as_bytes()).expect("the server answers").1
    }

    /// Status and body. The connection is kept; a new one is made when the server has closed it.
    fn send(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<(u16, String)> {
        let mut connection = self.connection.borrow_mut();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n",
            body.len()
        );
        for _ in 0..2 {
            let mut stream = match connection.take() {
                Some(stream) => stream,
                None => BufReader::new(TcpStream::connect(("127.0.0.1", self.port)).ok()?),
            };
            let request = [head.as_bytes(), body].concat();
            let sent = stream.get_mut().write_all(&request).ok();
            if let Some(answer) = sent.and_then(|()| read_answer(&mut stream)) {
                *connection = Some(stream);
                return Some(answer);
            }
        }
        None
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn read_line(stream: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|&length| length > 0)?;
    Some(line.trim_end().to_ascii_lowercase())
}

fn read_answer(stream: &mut impl BufRead) -> Option<(u16, String)> {
    let status = read_line(stream)?.split(' ').nth(1)?.parse().ok()?;
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let line = read_line(stream)?;
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().ok()?,
            Some(("transfer-encoding", "chunked")) => is_chunked = true,
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let mut body = Vec::new();
    if is_chunked {
        while let size @ 1.. = usize::from_str_radix(&read_line(stream)?, 16).ok()? {
            read_bytes(stream, size, &mut body)?;
            read_line(stream)?;
        }
        read_line(stream)?;
    } else {
        read_bytes(stream, length, &mut body)?;
    }
    Some((status, String::from_utf8(body).ok()?))
}

fn read_bytes(stream: &mut impl BufRead, size: usize, body: &mut Vec<u8>) -> Option<()> {
    let read = stream.take(size as u64).read_to_end(body).ok()?;
    (read == size).then_some(())
}
