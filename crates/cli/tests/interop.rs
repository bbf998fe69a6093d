//! The same answers as the programs of Prometheus, where those are at hand.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use narthex_testkit::ScratchDir;
use narthex_testkit::shop::START_MS;

/// A server on a loopback port, ended with the test.
struct Server {
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
    fn start(prometheus: &Path, folder: &Path) -> Server {
        let config = folder.join("prometheus.yml");
        std::fs::write(&config, "").expect("a file can be written");
        let (child, port) = narthex_testkit::servers::started(|port| {
            Command::new(prometheus)
                .arg(format!("--config.file={}", config.display()))
                .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
                .arg("--storage.tsdb.retention.time=100y")
                .arg(format!("--web.listen-address=127.0.0.1:{port}"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the server starts")
        });
        Server { child, port }
    }

    /// The body of an answer, if there is one.
    fn get(&self, path: &str) -> Option<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.split_once("\r\n\r\n").map(|parts| parts.1.to_owned())
    }

    /// What the HTTP API has under `data`.
    fn data(&self, path: &str) -> String {
        let answer = self.get(path).expect("the server answers");
        let data = answer.strip_prefix("{\"status\":\"success\",\"data\":").expect("a successful answer");
        // Warnings and infos follow the data object.
        let end = data.rfind(",\"warnings\":").or(data.rfind(",\"infos\":")).unwrap_or(data.len() - 1);
        data[..end].to_owned()
    }
}

/// The shop's samples as OpenMetrics without types, which is what blocks are made from.
fn shop_as_openmetrics() -> String {
    let text =
        std::fs::read_to_string(narthex_testkit::testdata("exposition/shop.prom")).expect("example data");
    let mut out = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (series, at_ms) = line.rsplit_once(' ').expect("a timestamp");
        let at_ms: i64 = at_ms.parse().expect("milliseconds");
        out.push_str(&format!("{series} {}.{:03}\n", at_ms / 1000, at_ms % 1000));
    }
    out + "# EOF\n"
}

fn encoded(query: &str) -> String {
    query.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

fn narthex(args: &[&str]) -> String {
    let data = narthex_testkit::testdata("exposition/shop.prom");
    let mut command = Command::new(env!("CARGO_BIN_EXE_narthex"));
    let output = command
        .arg("query")
        .arg("--data")
        .arg(data)
        .args(["-o", "json"])
        .args(args)
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
}

/// Queries whose answers have one order and one rounding.
const QUERIES: &[&str] = &[
    "sort(up)",
    "sort_desc(process_resident_memory_bytes)",
    "sum(rate(http_requests_total[5m]))",
    "count(up == 0) or vector(-1)",
    "topk(2, sum by (handler) (rate(http_requests_total[5m])))",
    "histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{job=\"api\"}[5m])))",
    "sum(increase(http_requests_total{instance=\"api-2\"}[30m]))",
    "max_over_time(orders_queue_length[1h:5m])",
    "orders_queue_length @ 1767609000 offset 5m",
    "sum(http_requests_total{code=\"500\"}) / sum(http_requests_total)",
    "time()",
    "scalar(orders_queue_length) > bool 10",
    "\"a < b & c\"",
    "orders_queue_length[1m]",
    "absent(nothing{job=\"x\"})",
    "1e21 + vector(1)",
    "vector(1e-7)",
    "1e-7",
];

#[test]
fn answers_are_a_servers_byte_for_byte() {
    let (Some(prometheus), Some(promtool)) =
        (narthex_testkit::peer("prometheus"), narthex_testkit::peer("promtool"))
    else {
        return;
    };
    let scratch = ScratchDir::new("interop");
    let openmetrics = scratch.join("shop.om");
    std::fs::write(&openmetrics, shop_as_openmetrics()).unwrap();
    let made = Command::new(promtool)
        .args(["tsdb", "create-blocks-from", "openmetrics"])
        .args([&openmetrics, &scratch.join("data")])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let server = Server::start(&prometheus, scratch.path());
    let at = (START_MS + 2_000_250) as f64 / 1000.0;
    for query in QUERIES {
        let theirs = server.data(&format!("/api/v1/query?query={}&time={at}", encoded(query)));
        assert_eq!(narthex(&["--at", &at.to_string(), query]), theirs, "instant {query}");
    }
    let (from, to) = ((START_MS / 1000 + 600).to_string(), (START_MS / 1000 + 3300).to_string());
    for query in QUERIES.iter().filter(|query| !query.starts_with('"') && !query.contains("[1m]")) {
        let path = format!("/api/v1/query_range?query={}&start={from}&end={to}&step=60", encoded(query));
        let ours = narthex(&["--from", &from, "--to", &to, "--step", "60", query]);
        assert_eq!(ours, server.data(&path), "range {query}");
    }
}

#[test]
fn rule_files_are_refused_when_promtool_refuses_them() {
    let Some(promtool) = narthex_testkit::peer("promtool") else { return };
    let mut compared = 0;
    for folder in ["rules/valid", "rules/invalid"] {
        for fixture in narthex_testkit::fixtures(folder, "yaml") {
            let file = narthex_testkit::testdata(folder).join(format!("{}.yaml", fixture.name));
            let ours = Command::new(env!("CARGO_BIN_EXE_narthex"))
                .args(["check", "rules"])
                .arg(&file)
                .output()
                .unwrap();
            // Kubernetes objects and templates are known to narthex alone.
            if !String::from_utf8_lossy(&ours.stderr).contains(" of 1 rule files") {
                continue;
            }
            let theirs =
                Command::new(&promtool).args(["check", "rules", "--lint=none"]).arg(&file).output().unwrap();
            assert_eq!(ours.status.success(), theirs.status.success(), "{}", file.display());
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared} files compared");
}
