//! Whatever a client can make large or slow ends, and does not hinder others.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use narthex_model::{Labels, Matcher, TimeRange};
use narthex_server::ServerOptions;
use narthex_storage::{Querier, Queryable, SampleBuffer, SelectHints, SeriesSet, StorageError};

use crate::client::{Answer, Running};
use crate::stores::{reading, wide};

/// A store whose samples take for ever to read, a moment each.
#[derive(Clone, Default)]
struct Slow {
    reading: Arc<AtomicBool>,
    reads: Arc<AtomicUsize>,
    series: Vec<Labels>,
}

impl Slow {
    fn new() -> Slow {
        let series = (0..100_000).map(|number| {
            let number = format!("{number:06}");
            Labels::from_pairs([("__name__", "slow"), ("n", number.as_str())])
        });
        Slow { series: series.collect(), ..Slow::default() }
    }

    /// Waits until no query has read for a hundred naps, and says how many naps that took.
    fn naps_until_still(&self) -> usize {
        let (mut reads, mut naps, mut still) = (self.reads.load(Ordering::Relaxed), 0, 0);
        while still < 100 {
            nap();
            naps += 1;
            let now = self.reads.load(Ordering::Relaxed);
            still = if now == reads { still + 1 } else { 0 };
            reads = now;
            assert!(naps < 10_000, "the query goes on");
        }
        naps - still
    }

    fn wait_until_read(&self) {
        while !self.reading.load(Ordering::Relaxed) {
            nap();
        }
    }
}

fn nap() {
    std::thread::sleep(Duration::from_millis(1));
}

impl Queryable for Slow {
    fn querier(&self, _: TimeRange) -> Result<Box<dyn Querier + '_>, StorageError> {
        Ok(Box::new(self))
    }
}

impl Querier for &Slow {
    fn select(
        &self,
        _: &[Matcher],
        _: TimeRange,
        _: &SelectHints,
    ) -> Result<Box<dyn SeriesSet + '_>, StorageError> {
        Ok(Box::new(SlowSeries(self)))
    }

    fn label_names(&self, _: &[Matcher]) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }

    fn label_values(&self, _: &str, _: &[Matcher]) -> Result<Vec<String>, StorageError> {
        Ok(Vec::new())
    }
}

struct SlowSeries<'a>(&'a Slow);

impl SeriesSet for SlowSeries<'_> {
    fn len(&self) -> usize {
        self.0.series.len()
    }

    fn labels(&self, series: usize) -> &Labels {
        &self.0.series[series]
    }

    fn read(&self, _: usize, _: TimeRange, samples: &mut SampleBuffer) -> Result<(), StorageError> {
        self.0.reading.store(true, Ordering::Relaxed);
        self.0.reads.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(500));
        samples.clear();
        Ok(())
    }
}

#[test]
fn a_client_that_leaves_stops_its_query() {
    let slow = Slow::new();
    let running = Running::serving(ServerOptions::default(), reading(slow.clone()));
    let mut stream = running.connect();
    let request = b"GET /api/v1/query?query=sum(rate(slow[5m])) HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(request).unwrap();
    slow.wait_until_read();
    drop(stream);
    let naps = slow.naps_until_still();
    assert!(naps < 2000, "stopped after {naps} ms or more");
}

#[test]
fn a_query_ends_with_its_time() {
    let slow = Slow::new();
    let running = Running::serving(ServerOptions::default(), reading(slow.clone()));
    let answer = running.get("/api/v1/query?query=sum(rate(slow[5m]))&timeout=200ms");
    assert_eq!(answer.status, 503);
    assert_eq!(
        answer.text(),
        r#"{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}"#
    );
    assert!(slow.naps_until_still() < 2000);
}

#[test]
fn the_rest_are_told_to_come_back_while_health_is_answered() {
    let slow = Slow::new();
    let options = ServerOptions {
        queries_max: 1,
        queries_waiting_max: 1,
        queue_timeout: Duration::from_millis(300),
        ..ServerOptions::default()
    };
    let running = Running::serving(options, reading(slow.clone()));
    let path = "/api/v1/query?query=slow&timeout=3s";
    let mut answers: Vec<Answer> = std::thread::scope(|scope| {
        let first = scope.spawn(|| running.get(path));
        slow.wait_until_read();
        let others: Vec<_> = (0..5).map(|_| scope.spawn(|| running.get(path))).collect();
        assert_eq!(running.get("/-/healthy").status, 200);
        others.into_iter().chain([first]).map(|one| one.join().unwrap()).collect()
    });
    let first = answers.pop().unwrap();
    assert!(first.text().contains("in expression evaluation"), "{}", first.text());
    assert!(answers.iter().all(|answer| answer.status == 503 && answer.header("retry-after") == Some("5")));
    let full = "too many queries: 1 run and 1 wait, which are the limits";
    assert_eq!(answers.iter().filter(|answer| answer.text().contains(full)).count(), 4);
    assert_eq!(answers.iter().filter(|answer| answer.text().contains("in query queue")).count(), 1);
}

#[test]
fn long_answers_are_streamed_and_compressed() {
    let running = Running::serving(ServerOptions::default(), reading(wide(100, 300)));
    let path = "/api/v1/query_range?query=wide&start=0&end=299&step=1";
    let plain = running.get(path);
    assert_eq!((plain.status, plain.header("transfer-encoding")), (200, Some("chunked")));
    assert_eq!(plain.text().matches("[299,\"328.90000000000003\"]").count(), 100);
    let gzip = running.ask("GET", path, &[("Accept-Encoding", "gzip")], b"");
    assert_eq!((gzip.status, gzip.header("content-encoding")), (200, Some("gzip")));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&gzip.body[..]).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain.body && gzip.body.len() * 3 < plain.body.len());
    let short = running.ask("GET", "/api/v1/query?query=1", &[("Accept-Encoding", "gzip")], b"");
    assert_eq!((short.header("content-encoding"), short.header("transfer-encoding")), (None, None));
}

#[test]
fn a_reader_that_takes_nothing_is_left() {
    let options = ServerOptions { write_timeout: Duration::from_millis(300), ..ServerOptions::default() };
    let running = Running::serving(options, reading(wide(1000, 300)));
    let mut stream = running.connect();
    let path = "/api/v1/query_range?query=wide&start=0&end=299&step=1";
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    let page = || running.get("/metrics").text().contains("prometheus_engine_queries 0\n");
    // It must have begun before it can have been given up.
    let mut first = [0];
    stream.read_exact(&mut first).unwrap();
    let given_up = (0..1000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        page()
    });
    assert!(given_up, "the query is still there");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(!rest.ends_with(b"0\r\n\r\n"), "the answer is cut off");
}

#[test]
fn a_head_that_takes_too_long_closes_the_connection() {
    let options = ServerOptions { header_timeout: Duration::from_millis(200), ..ServerOptions::default() };
    let running = Running::serving(options, reading(wide(1, 1)));
    let mut slow = running.connect();
    slow.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: local").unwrap();
    assert_eq!(slow.read(&mut [0; 16]).unwrap_or(0), 0, "the connection is closed");
    // An idle connection is not in a hurry.
    let mut idle = running.connect();
    std::thread::sleep(Duration::from_millis(400));
    idle.write_all(b"GET /-/healthy HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    idle.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("Narthex is healthy.\n"), "{answer}");
}

#[test]
fn idle_connections_make_room() {
    let options = ServerOptions { connections_max: 8, ..ServerOptions::default() };
    let running = Running::serving(options, reading(wide(1, 1)));
    let idle: Vec<_> = (0..40).map(|_| running.connect()).collect();
    assert_eq!(running.get("/-/healthy").status, 200);
    drop(idle);
}

#[test]
fn what_is_too_long_is_refused() {
    let options = ServerOptions { form_bytes_max: 1000, ..ServerOptions::default() };
    let running = Running::serving(options, reading(wide(1, 1)));
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let body = [b"query=1%2B1&x=", &[b'x'; 1000][..]].concat();
    assert_eq!(running.ask("POST", "/api/v1/query", &form, &body).status, 413);
    assert_eq!(running.ask("POST", "/api/v1/query", &form, &body[..1000]).status, 200);
    assert_eq!(running.get(&format!("/api/v1/query?query=1&x={}", "x".repeat(100_000))).status, 414);
    let value = "x".repeat(300_000);
    assert_eq!(running.ask("GET", "/-/healthy", &[("X", value.as_str())], b"").status, 431);
}

#[test]
fn strangers_are_turned_away() {
    let running = Running::serving(ServerOptions::default(), reading(wide(1, 1)));
    assert_eq!(running.ask("GET", "/api/v1/labels", &[("Host", "evil.example")], b"").status, 421);
    let foreign = [("Origin", "https://evil.example")];
    assert_eq!(
        running.ask("GET", "/api/v1/labels", &foreign, b"").header("access-control-allow-origin"),
        None
    );
    assert_eq!(running.ask("POST", "/api/v1/write", &foreign, b"").status, 403);
}

#[test]
fn a_server_without_a_store_says_so() {
    let running = Running::start(ServerOptions::default());
    assert_eq!(running.get("/-/healthy").status, 200);
    assert_eq!([running.get("/-/ready").status, running.get("/api/v1/labels").status], [503, 503]);
    running.server.provide(reading(wide(1, 1)));
    assert_eq!([running.get("/-/ready").status, running.get("/api/v1/labels").status], [200, 200]);
}

#[test]
fn running_requests_end_before_the_server() {
    let slow = Slow::new();
    let mut running = Running::serving(ServerOptions::default(), reading(slow.clone()));
    let mut stream = running.connect();
    let path = "/api/v1/query?query=slow&timeout=1s";
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes()).unwrap();
    slow.wait_until_read();
    let _idle = running.connect();
    running.stop().unwrap().join().unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(Answer::read(&answer).status, 503);
}
