//! The same answers as Prometheus, where it is at hand.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use narthex_testkit::ScratchDir;

use crate::client::{Answer, Running};
use crate::stores::{reading, shop};
use crate::transcripts::{ask, requests};

/// A Prometheus on a loopback port, ended with the test.
struct Peer {
    child: Child,
    address: SocketAddr,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Peer {
    fn start(prometheus: &Path, folder: &ScratchDir) -> Peer {
        std::fs::write(folder.join("prometheus.yml"), "").expect("a file can be written");
        let (child, port) = narthex_testkit::servers::started(|port| {
            Command::new(prometheus)
                .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
                .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
                .arg("--storage.tsdb.retention.time=100y")
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the server starts")
        });
        Peer { child, address: SocketAddr::from(([127, 0, 0, 1], port)) }
    }

    fn ask(&self, (method, path, form): (&str, &str, &str)) -> Option<Answer> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        let kind = if form.is_empty() { "" } else { kind };
        let length = form.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{kind}");
        stream.write_all(format!("{head}Content-Length: {length}\r\n\r\n{form}").as_bytes()).ok()?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).ok()?;
        Some(Answer::read(&bytes))
    }
}

/// The shop's samples as OpenMetrics without types, which is what blocks are made from.
fn shop_as_openmetrics() -> String {
    let text =
        std::fs::read_to_string(narthex_testkit::testdata("exposition/shop.prom")).expect("example data");
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, at_ms) = line.rsplit_once(' ').expect("a time");
        let at_ms: i64 = at_ms.parse().expect("milliseconds");
        out.push_str(&format!("{series} {}.{:03}\n", at_ms / 1000, at_ms % 1000));
    }
    out + "# EOF\n"
}

#[test]
fn answers_are_those_of_prometheus_byte_for_byte() {
    let (Some(prometheus), Some(promtool)) =
        (narthex_testkit::peer("prometheus"), narthex_testkit::peer("promtool"))
    else {
        return;
    };
    let folder = ScratchDir::new("api-peer");
    std::fs::write(folder.join("shop.om"), shop_as_openmetrics()).expect("a file can be written");
    let made = Command::new(promtool)
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([folder.join("shop.om"), folder.join("data")])
        .output()
        .expect("promtool runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let peer = Peer::start(&prometheus, &folder);
    let running = Running::serving(Default::default(), reading(shop()));
    let path = narthex_testkit::testdata("api/upstream.http");
    let text = std::fs::read_to_string(path).expect("requests");
    let mut different = Vec::new();
    for request in requests(&text) {
        let (mut ours, theirs) = (ask(&running, request), peer.ask(request).expect("the server answers"));
        // Trees have them since 3.9, older programs do not.
        ours.body = ours.text().replace("\"fillValues\":{\"lhs\":null,\"rhs\":null},", "").into_bytes();
        if (ours.status, &ours.body) != (theirs.status, &theirs.body) {
            let text = |answer: &Answer| String::from_utf8_lossy(&answer.body).into_owned();
            different.push(format!(
                "{request:?}\n- {} {}\n+ {} {}",
                theirs.status,
                text(&theirs),
                ours.status,
                text(&ours)
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} differ (- Prometheus, + ours)\n{}",
        different.len(),
        different.join("\n")
    );
}
