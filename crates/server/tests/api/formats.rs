//! The formats of answers, chosen by `Accept`.

use crate::client::Running;
use crate::stores::{reading, shop};

const QUERY: &str = "/api/v1/query?query=topk(1,up)&time=1767609200";

#[test]
fn a_client_gets_the_format_it_accepts() {
    let running = Running::serving(Default::default(), reading(shop()));
    let ask = |path: &str, accept: &str| running.ask("GET", path, &[("Accept", accept)], &[]);
    let csv = ask(QUERY, "application/json;q=0.5, text/csv");
    assert_eq!((csv.status, csv.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    assert_eq!(csv.text(), "timestamp,value,__name__,instance,job\n1767609200,1,up,api-1,api\n");
    let json = ask(QUERY, "image/png, */*;q=0.1");
    assert_eq!((json.status, json.header("content-type")), (200, Some("application/json")));
    assert!(json.text().starts_with("{\"status\":\"success\""));
    let error = ask("/api/v1/query?query=up%2B", "text/csv");
    assert_eq!(
        (error.status, error.header("content-type")),
        (400, Some("application/json")),
        "errors are JSON"
    );
    let names = ask("/api/v1/labels", "text/csv");
    assert_eq!(
        names.header("content-type"),
        Some("application/json"),
        "values of queries alone have formats"
    );
}

#[test]
fn caches_keep_formats_apart() {
    let running = Running::serving(Default::default(), reading(shop()));
    let vary = |path: &str| {
        let answer = running.ask("GET", path, &[], &[]);
        let values = answer.headers.iter().filter(|header| header.0 == "vary");
        values.map(|header| header.1.clone()).collect::<Vec<_>>()
    };
    assert_eq!(vary(QUERY), ["Accept", "Origin"]);
    assert_eq!(vary("/api/v1/labels"), ["Origin"]);
}

#[test]
fn long_answers_are_streamed_in_any_format() {
    let running = Running::serving(Default::default(), reading(shop()));
    let path = "/api/v1/query_range?query={__name__=~%22.%2B%22}&start=1767607200&end=1767610800&step=15";
    let csv = running.ask("GET", path, &[("Accept", "text/csv")], &[]);
    assert_eq!(csv.header("transfer-encoding"), Some("chunked"));
    let text = csv.text();
    let head: Vec<&str> = text.lines().next().unwrap_or("").split(',').collect();
    assert_eq!(head[..3], ["timestamp", "value", "__name__"]);
    assert!(text.lines().count() > 100_000 && text.lines().all(|line| line.split(',').count() == head.len()));
}
