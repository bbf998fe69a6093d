//! Remote write: what is acknowledged is stored, what is not stored is told.

use narthex_server::ServerOptions;

use crate::client::{Answer, Running};
use crate::stores::Shared;

const NOW_S: i64 = 1_767_609_000;

fn nested(number: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    bytes.extend(varint(body.len() as u64));
    bytes.extend_from_slice(body);
    bytes
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A series of one label besides its name.
fn series(name: &str, job: &str, samples: &[(i64, f64)]) -> Vec<u8> {
    let label = |name: &str, value: &str| {
        nested(1, &[nested(1, name.as_bytes()), nested(2, value.as_bytes())].concat())
    };
    let mut message = label("job", job);
    if !name.is_empty() {
        message.extend(label("__name__", name));
    }
    for &(second, value) in samples {
        let time = varint((second * 1000) as u64);
        message.extend(nested(2, &[&[0x09], &value.to_le_bytes()[..], &[0x10], &time].concat()));
    }
    nested(1, &message)
}

fn write(running: &Running, message: &[u8]) -> Answer {
    let body = snap::raw::Encoder::new().compress_vec(message).expect("short enough");
    let headers = [
        ("Content-Type", "application/x-protobuf"),
        ("Content-Encoding", "snappy"),
        ("X-Prometheus-Remote-Write-Version", "0.1.0"),
    ];
    running.ask("POST", "/api/v1/write", &headers, &body)
}

#[test]
fn good_samples_are_stored_and_the_others_told() {
    let store = Shared::default();
    let running = Running::serving(ServerOptions::default(), store.services());
    let good = [series("up", "a", &[(NOW_S, 1.0)]), series("up", "b", &[(NOW_S, 2.0)])].concat();
    let answer = write(&running, &good);
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(answer.header("x-prometheus-remote-write-samples-written"), Some("2"));
    let mixed = [
        series("up", "a", &[(NOW_S - 1, 3.0), (NOW_S + 1, 4.0)]),
        series("", "nameless", &[(NOW_S, 5.0)]),
        series("up", "c", &[(NOW_S, 6.0)]),
    ]
    .concat();
    let answer = write(&running, &mixed);
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with("2 refused, 2 stored\n"), "{}", answer.text());
    let query = format!("/api/v1/query?query=sort(up)&time={}", NOW_S + 1);
    let stored = running.get(&query);
    for value in ["\"2\"]", "\"4\"]", "\"6\"]"] {
        assert!(stored.text().contains(value), "{}", stored.text());
    }
    let page = running.get("/metrics");
    assert!(page.text().contains("narthex_remote_write_samples_stored_total 4\n"), "{}", page.text());
}

#[test]
fn what_is_no_remote_write_is_refused() {
    let options = ServerOptions { write_bytes_max: 1 << 20, ..ServerOptions::default() };
    let running = Running::serving(options, Shared::default().services());
    let refused = |headers: &[(&str, &str)], body: &[u8]| {
        let answer = running.ask("POST", "/api/v1/write", headers, body);
        (answer.status, answer.text().trim_end().to_owned())
    };
    assert_eq!(refused(&[], b"no snappy"), (400, "snappy: corrupt input".to_owned()));
    assert_eq!(refused(&[("Content-Type", "application/json")], b"{}").0, 415);
    assert_eq!(refused(&[("Content-Encoding", "gzip")], b"").0, 415);
    // A block that says to be 2 GiB long.
    assert_eq!(refused(&[], b"\x80\x80\x80\x80\x08\x00").0, 413);
    assert_eq!(refused(&[], &vec![0; (1 << 20) + 1]).0, 413);
    let cut_off = snap::raw::Encoder::new().compress_vec(b"\x0a\x20").expect("short enough");
    assert_eq!(refused(&[], &cut_off), (400, "proto: message ends within a field".to_owned()));
}

#[test]
fn version_2_is_received_and_what_was_stored_is_counted() {
    let store = Shared::default();
    let running = Running::serving(ServerOptions::default(), store.services());
    // Texts, then a series of two references and a sample, and one of a label that there is not.
    let texts: Vec<u8> = ["", "__name__", "up"].iter().flat_map(|text| nested(4, text.as_bytes())).collect();
    let time = varint((NOW_S * 1000) as u64);
    let sample = nested(2, &[&[0x09], &1f64.to_le_bytes()[..], &[0x10], &time].concat());
    let write = |references: &[u8]| {
        let series = nested(5, &[nested(1, references), sample.clone()].concat());
        let message = [texts.clone(), series].concat();
        let body = snap::raw::Encoder::new().compress_vec(&message).expect("short enough");
        let headers = [
            ("Content-Type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"),
            ("Content-Encoding", "snappy"),
            ("X-Prometheus-Remote-Write-Version", "2.0.0"),
        ];
        running.ask("POST", "/api/v1/write", &headers, &body)
    };
    let answer = write(&[1, 2]);
    assert_eq!(answer.status, 204, "{}", answer.text());
    let written =
        |kind: &str| answer.header(&format!("x-prometheus-remote-write-{kind}-written")).map(str::to_owned);
    assert_eq!(
        [written("samples"), written("histograms"), written("exemplars")].map(Option::unwrap),
        ["1", "0", "0"]
    );
    assert_eq!((write(&[1, 3]).status, write(&[1]).status), (400, 400));
    let stored = running.get(&format!("/api/v1/query?query=up&time={NOW_S}"));
    assert!(stored.text().contains("\"1\"]"), "{}", stored.text());
}
