//! What a receiver keeps of a request with good and bad things in it, and what it tells of itself.

use std::net::TcpStream;

use narthex_testkit::ScratchDir;

use crate::server::Server;
use crate::writer::{START_MS, bytes_field, post, snappy, varint};

fn label(name: &str, value: &str) -> Vec<u8> {
    let mut label = Vec::new();
    bytes_field(1, name.as_bytes(), &mut label);
    bytes_field(2, value.as_bytes(), &mut label);
    label
}

/// A value, 7, and its time.
fn timed(value_field: u8, time_field: u8, out: &mut Vec<u8>) {
    out.push(value_field << 3 | 1);
    out.extend(7f64.to_le_bytes());
    out.push(time_field << 3);
    varint(START_MS as u64, out);
}

/// A series of one sample with labels whose values are so long, and an exemplar.
fn series(name: &str, bytes: usize) -> Vec<u8> {
    let mut series = Vec::new();
    for (name, value) in [("__name__", name), ("a", &*"x".repeat(bytes)), ("b", &*"y".repeat(bytes))] {
        bytes_field(1, &label(name, value), &mut series);
    }
    let mut sample = Vec::new();
    timed(1, 2, &mut sample);
    bytes_field(2, &sample, &mut series);
    let mut exemplar = Vec::new();
    bytes_field(1, &label("trace", "4711"), &mut exemplar);
    timed(2, 3, &mut exemplar);
    bytes_field(3, &exemplar, &mut series);
    let mut field = Vec::new();
    bytes_field(1, &series, &mut field);
    field
}

#[test]
fn what_is_too_long_is_refused_for_good_and_the_rest_kept() {
    let scratch = ScratchDir::new("receiver");
    let server = Server::start(scratch.path());
    let write = |message: &[u8]| {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port())).expect("the server listens");
        post(&mut stream, &snappy(message))
    };
    // Two labels of 40 KiB each.
    assert_eq!(write(&[series("long", 40 << 10), series("short", 1)].concat()), Some(400));
    assert_eq!(write(&series("short", 1)), Some(204));
    let get = |path: &str| server.get(path).expect("the server answers");
    let seconds = START_MS / 1000;
    let found = get(&format!("/api/v1/query?query=%7B__name__%3D~%22long%7Cshort%22%7D&time={seconds}"));
    assert!(found.contains("\"short\"") && !found.contains("\"long\""), "{found}");
    let exemplars = get("/api/v1/query_exemplars?query=rate(short%5B5m%5D)");
    let expected = format!(
        "{{\"exemplars\":[{{\"labels\":{{\"trace\":\"4711\"}},\"timestamp\":{seconds},\"value\":\"7\"}}],\"seriesLabels\":{{"
    );
    assert!(exemplars.contains(&expected), "{exemplars}");
    let page = get("/metrics");
    for line in [
        "prometheus_tsdb_head_series 1",
        "prometheus_tsdb_head_samples_appended_total{type=\"float\"} 1",
        "prometheus_tsdb_exemplar_exemplars_in_storage 1",
        "narthex_storage_gaps 0",
        "narthex_storage_writable 1",
        "prometheus_tsdb_wal_corruptions_total 0",
    ] {
        assert!(page.lines().any(|known| known == line), "{line} is not in\n{page}");
    }
}
