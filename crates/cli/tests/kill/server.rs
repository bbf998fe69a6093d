//! The server under test.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use crate::writer::{START_MS, STEP_MS};

/// Every series of a writer, by number, with times and values.
pub(crate) type Stored = BTreeMap<usize, Vec<(i64, f64)>>;

/// A running server; killed when dropped.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts the server on a folder and waits until it is ready.
    pub(crate) fn start(folder: &Path) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_narthex"))
            .arg("serve")
            .arg(format!("--data={}", folder.display()))
            .arg("--listen=127.0.0.1:0")
            .arg("--web.enable-remote-write-receiver")
            .arg("--storage.tsdb.min-block-duration=10s")
            .arg("--storage.tsdb.max-block-duration=90s")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut said = BufReader::new(child.stderr.take().expect("it was asked for")).lines();
        let mut lines = said.by_ref().map_while(Result::ok).inspect(|line| println!("{line}"));
        // It says where it is once it is ready.
        let address =
            lines.find_map(|line| line.rsplit_once("http://127.0.0.1:").map(|parts| parts.1.to_owned()));
        let port = address.and_then(|port| port.trim().parse().ok());
        thread::spawn(move || said.map_while(Result::ok).for_each(|line| println!("{line}")));
        let server = Server { child, port: port.expect("the server starts and says where") };
        assert!(
            server.get("/-/ready").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")),
            "it is ready"
        );
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends the process as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    pub(crate) fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        String::from_utf8(answer).ok()
    }

    /// What is stored of one writer from a batch on. Damage that the server knows of would be a warning: there is none.
    pub(crate) fn samples(&self, writer: usize, from_batch: u64) -> Stored {
        let end_ms = START_MS + 1_000_000 * STEP_MS;
        let range_ms = end_ms - (START_MS + from_batch as i64 * STEP_MS) + 1;
        let selector = format!("killed%7Bwriter%3D%22{writer}%22%7D%5B{range_ms}ms%5D");
        let query = format!("/api/v1/query?query={selector}&time={}", end_ms / 1000);
        let answer = self.get(&query).expect("the server answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}\n{body}");
        let body = if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
            joined(body)
        } else {
            body.to_owned()
        };
        let answer: serde_json::Value = serde_json::from_str(&body).expect("an answer is JSON");
        assert!(answer.get("warnings").is_none(), "{}", answer["warnings"]);
        let series = answer["data"]["result"].as_array().expect("a matrix");
        series.iter().map(|one| (number(&one["metric"]["series"]), points(&one["values"]))).collect()
    }
}

/// The chunks of a body in one piece.
fn joined(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let length = usize::from_str_radix(length, 16).expect("the length of a chunk");
        whole.push_str(&rest[..length]);
        body = rest[length..].trim_start_matches("\r\n");
        if length == 0 {
            break;
        }
    }
    whole
}

fn number(text: &serde_json::Value) -> usize {
    text.as_str().and_then(|text| text.parse().ok()).expect("the number of a series")
}

fn points(values: &serde_json::Value) -> Vec<(i64, f64)> {
    let point = |point: &serde_json::Value| {
        let seconds = point[0].as_f64().expect("a time");
        let value = point[1].as_str().and_then(|text| text.parse().ok()).expect("a value");
        ((seconds * 1000.0).round() as i64, value)
    };
    values.as_array().expect("values").iter().map(point).collect()
}
