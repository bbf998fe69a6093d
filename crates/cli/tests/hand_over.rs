//! A store that goes from Prometheus to narthex and back, without a sample lost on the way.

#![expect(clippy::disallowed_methods, reason = "Prometheus goes by the clock")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use narthex_testkit::ScratchDir;

/// A Prometheus that scrapes itself; killed when dropped.
struct Prometheus {
    child: Child,
    port: u16,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    fn start(program: &Path, dir: &Path) -> Prometheus {
        let config = dir.with_extension("yml");
        let (child, port) = narthex_testkit::servers::started(|port| {
            let scrape = format!(
                "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: self\n  static_configs:\n  - targets: ['127.0.0.1:{port}']\n"
            );
            std::fs::write(&config, scrape).expect("a file can be written");
            Command::new(program)
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", dir.display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the server starts")
        });
        Prometheus { child, port }
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|parts| parts.1.to_owned())
    }

    /// Everything in the five minutes up to `at`, which lies before the first start of another process on the store.
    fn everything(&self, at: u64) -> serde_json::Value {
        let query = "%7B__name__%3D~%22.%2B%22%7D%5B5m%5D";
        let body = self.get(&format!("/api/v1/query?query={query}&time={at}")).expect("an answer");
        sorted(&serde_json::from_str(&body).expect("JSON"))
    }
}

/// The series of an answer in one order.
fn sorted(answer: &serde_json::Value) -> serde_json::Value {
    let result = answer.get("data").unwrap_or(answer)["result"].as_array().expect("a matrix").clone();
    let mut series: Vec<_> = result.into_iter().map(|one| (one["metric"].to_string(), one)).collect();
    series.sort_by(|left, right| left.0.cmp(&right.0));
    series.into_iter().map(|one| one.1).collect()
}

fn narthex(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_narthex")).args(args).output().expect("the command runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn a_store_is_taken_over_and_handed_back_with_every_sample() {
    let Some(program) = narthex_testkit::peer("prometheus") else { return };
    let scratch = ScratchDir::new("hand-over");
    let dir = scratch.join("data");
    let data = dir.to_str().expect("UTF-8");
    let server = Prometheus::start(&program, &dir);
    // Targets are found within five seconds.
    thread::sleep(Duration::from_secs(12));
    let at = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() - 1;
    let theirs = server.everything(at);
    assert!(theirs.as_array().is_some_and(|series| series.len() > 300), "{theirs}");
    drop(server);

    let query = ["query", "-o", "json", "--data", data, "--at", &at.to_string(), "{__name__=~\".+\"}[5m]"];
    let ours = || sorted(&serde_json::from_str(&narthex(&query)).expect("JSON"));
    assert_eq!(ours(), theirs, "read as it is");
    narthex(&["tsdb", "take-over", data]);
    assert!(!dir.join("wal").exists() && dir.join("narthex/taken-over/wal").exists());
    assert_eq!(ours(), theirs, "taken over");
    let copy = scratch.join("copy");
    narthex(&["tsdb", "snapshot", data, copy.to_str().expect("UTF-8")]);
    narthex(&["tsdb", "hand-back", data]);
    assert_eq!(ours(), theirs, "handed back");
    for (dir, what) in [(dir, "handed back"), (copy, "copied")] {
        let server = Prometheus::start(&program, &dir);
        assert_eq!(server.everything(at), theirs, "{what}, read by Prometheus");
    }
}
