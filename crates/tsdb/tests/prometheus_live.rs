//! Whether the directory of a running Prometheus is read as it answers queries itself.
//!
//! Skipped where there is no `prometheus`.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]
#![expect(clippy::disallowed_methods, reason = "another program runs by the clock")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use narthex_model::{Labels, MatchOp, Matcher, SampleValue, TimeRange, Timestamp};

use narthex_storage::{Queryable, SampleBuffer, SelectHints, StorageError};
use narthex_testkit::{ScratchDir, peer};
use narthex_tsdb::fs::OsFs;
use narthex_tsdb::head::HeadOptions;
use narthex_tsdb::prometheus::files::{LiveFiles, Source, Visitor};
use narthex_tsdb::prometheus::head_chunks::{HeadChunk, HeadChunks};
use narthex_tsdb::prometheus::record::{Record, SampleEntry};
use narthex_tsdb::prometheus::snapshot::SnapshotSeries;
use narthex_tsdb::prometheus::{DamageKind, ForeignHead, ForeignOptions};

type Series = BTreeMap<String, BTreeMap<Timestamp, String>>;

/// A running Prometheus; killed when dropped.
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
    fn start(program: &Path, dir: &ScratchDir, flags: &[&str]) -> Prometheus {
        let port = free_port();
        let config = dir.join("prometheus.yml");
        let text = fs::read_to_string(&config).unwrap().replace("SELF", &port.to_string());
        let with_port = dir.join("with_port.yml");
        fs::write(&with_port, text).unwrap();
        let log = File::create(dir.join(format!("{port}.log"))).unwrap();
        let child = Command::new(program)
            .arg(format!("--config.file={}", with_port.display()))
            .arg(format!("--storage.tsdb.path={}", dir.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(flags)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut prometheus = Prometheus { child, port };
        let begin = Instant::now();
        while !prometheus.request("GET", "/-/ready").starts_with("Prometheus") {
            let has_ended = prometheus.child.try_wait().unwrap().is_some();
            let log = dir.join(format!("{port}.log"));
            let said = || fs::read_to_string(&log).unwrap();
            assert!(!has_ended && begin.elapsed() < Duration::from_secs(60), "{}", said());
            thread::sleep(Duration::from_millis(100));
        }
        prometheus
    }

    /// The body of an answer, empty when there is none.
    fn request(&self, method: &str, path: &str) -> String {
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else {
            return String::new();
        };
        // The older version of the protocol has no chunks.
        let _ = write!(stream, "{method} {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }

    /// All samples of the 5 minutes up to `at_ms`, as it answers itself.
    fn answer(&self, at_ms: Timestamp) -> Series {
        let query = "%7B__name__%3D~%22.%2B%22%7D%5B5m%5D";
        let body =
            self.request("GET", &format!("/api/v1/query?query={query}&time={}", at_ms as f64 / 1000.0));
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let series = body["data"]["result"].as_array().unwrap();
        series.iter().map(|series| (labels_of(&series["metric"]).to_string(), samples_of(series))).collect()
    }

    fn quit(mut self) {
        self.request("POST", "/-/quit");
        assert!(self.child.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

fn labels_of(metric: &serde_json::Value) -> Labels {
    let pairs = metric.as_object().unwrap().iter();
    Labels::from_pairs(pairs.map(|(name, value)| (&**name, value.as_str().unwrap())))
}

fn samples_of(series: &serde_json::Value) -> BTreeMap<Timestamp, String> {
    let pairs = |kind: &str| series[kind].as_array().cloned().unwrap_or_default();
    let at_ms = |pair: &serde_json::Value| (pair[0].as_f64().unwrap() * 1000.0).round() as Timestamp;
    let float = |pair: &serde_json::Value| {
        let text = pair[1].as_str().unwrap();
        (at_ms(pair), text.parse::<f64>().unwrap().to_string())
    };
    let histogram = |pair: &serde_json::Value| {
        let number = |key: &str| pair[1][key].as_str().unwrap().parse::<f64>().unwrap();
        let mut text = format!("count {} sum {}", number("count"), number("sum"));
        for bucket in pair[1]["buckets"].as_array().into_iter().flatten() {
            let part = |at: usize| bucket[at].as_str().unwrap().parse::<f64>().unwrap();
            write!(text, " {}..{}:{}", part(1), part(2), part(3)).unwrap();
        }
        (at_ms(pair), text)
    };
    pairs("values").iter().map(float).chain(pairs("histograms").iter().map(histogram)).collect()
}

fn read(dir: &ScratchDir) -> ForeignHead {
    let options = ForeignOptions { head: HeadOptions::EMBEDDED, min_valid_ms: Timestamp::MIN };
    ForeignHead::read(&OsFs, &dir.join("data"), options).unwrap()
}

/// What [`Prometheus::answer`] says, out of what we have read.
fn answer_of(foreign: &ForeignHead, at_ms: Timestamp) -> Series {
    let range = TimeRange::new(at_ms - 300_000 + 1, at_ms);
    let querier = foreign.head.querier(range).unwrap();
    let all = Matcher::new("__name__", MatchOp::Regex, ".+".into()).unwrap();
    let set = querier.select(&[all], range, &SelectHints::default()).unwrap();
    let mut samples = SampleBuffer::new();
    let mut answer = Series::new();
    for series in 0..set.len() {
        set.read(series, range, &mut samples).unwrap();
        let found = texts(&samples);
        if !found.is_empty() {
            answer.insert(set.labels(series).to_string(), found);
        }
    }
    answer
}

/// Stale markers are not part of an answer.
fn texts(samples: &SampleBuffer) -> BTreeMap<Timestamp, String> {
    let SampleBuffer { floats, histograms } = samples;
    let floats =
        floats.timestamps.iter().zip(&floats.values).map(|(at, value)| (*at, SampleValue::Float(*value)));
    let values = histograms.values.iter().map(|value| SampleValue::Histogram(value.clone()));
    let all = floats.chain(histograms.timestamps.iter().copied().zip(values));
    all.filter(|(_, value)| !value.is_stale()).map(|(at_ms, value)| (at_ms, text(&value))).collect()
}

fn text(value: &SampleValue) -> String {
    match value {
        SampleValue::Float(value) => value.to_string(),
        SampleValue::Histogram(histogram) => {
            let mut text = format!("count {} sum {}", histogram.count, histogram.sum);
            for bucket in histogram.ascending().filter(|bucket| bucket.count != 0.0) {
                write!(text, " {}..{}:{}", bucket.lower, bucket.upper, bucket.count).unwrap();
            }
            text
        }
    }
}

fn check(expected: &Series, actual: &Series, when: &str) {
    let names = |series: &Series| series.keys().cloned().collect::<Vec<_>>().join("\n");
    assert!(!expected.is_empty(), "{when}");
    assert!(
        names(expected) == names(actual),
        "{when}:\n{}",
        narthex_testkit::diff::line_diff(&names(expected), &names(actual))
    );
    for (labels, samples) in expected {
        assert_eq!(&actual[labels], samples, "{when}: {labels}");
    }
}

/// Names, lengths and checksums of all files below a directory.
fn checksum(dir: &Path, out: &mut BTreeMap<String, (u64, u32, SystemTime)>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let metadata = entry.metadata().unwrap();
        if metadata.is_dir() {
            checksum(&entry.path(), out);
        } else {
            let bytes = fs::read(entry.path()).unwrap();
            let sum = (metadata.len(), crc32c::crc32c(&bytes), metadata.modified().unwrap());
            out.insert(entry.path().display().to_string(), sum);
        }
    }
}

fn now_ms() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::try_from(since.as_millis()).unwrap()
}

/// Serves, to whoever connects, samples of a few series at times that jump around the last two minutes.
fn serve_late_samples() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let mut body = String::new();
            for series in 0..3usize {
                let late_ms = (number * 7919 + series * 104_729) % 120_000;
                let at_ms = now_ms() - if number % 3 == 0 { 0 } else { late_ms as i64 };
                // The same value for the same instant: of two values either may be in an answer.
                writeln!(body, "late{{series=\"{series}\"}} {} {at_ms}", at_ms % 1009).unwrap();
            }
            let head = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n";
            let _ = write!(stream, "{head}{body}");
        }
    });
    port
}

/// The answers agree while Prometheus runs and after it was killed, and nothing is changed then.
fn check_live_and_killed(prometheus: Prometheus, dir: &ScratchDir) -> ForeignHead {
    thread::sleep(Duration::from_secs(3));
    let at_ms = now_ms() - 2000;
    let expected = prometheus.answer(at_ms);
    // Samples may still come late, but not older than the scrape that is on its way.
    check_recent(&expected, &answer_of(&read(dir), at_ms));
    let at_ms = now_ms() - 1;
    thread::sleep(Duration::from_secs(2));
    let expected = prometheus.answer(at_ms);
    prometheus.kill();
    let [mut before, mut after] = [BTreeMap::new(), BTreeMap::new()];
    checksum(&dir.join("data"), &mut before);
    let foreign = read(dir);
    checksum(&dir.join("data"), &mut after);
    assert_eq!(before, after, "reading has changed the directory");
    check_recent(&expected, &answer_of(&foreign, at_ms));
    foreign
}

/// Late samples go on coming, so that of these at least the expected ones are there.
fn check_recent(expected: &Series, actual: &Series) {
    let is_late = |labels: &String| labels.contains("late");
    let others = |series: &Series| -> Series {
        series.iter().filter(|(labels, _)| !is_late(labels)).map(|(l, s)| (l.clone(), s.clone())).collect()
    };
    check(&others(expected), &others(actual), "as in the answer");
    for (labels, samples) in expected.iter().filter(|(labels, _)| is_late(labels)) {
        for (at_ms, value) in samples {
            assert_eq!(actual[labels].get(at_ms), Some(value), "{labels} at {at_ms}");
        }
    }
}

const SNAPPY_FLAGS: [&str; 4] = [
    "--enable-feature=native-histograms,metadata-wal-records,exemplar-storage,memory-snapshot-on-shutdown",
    "--web.enable-lifecycle",
    "--web.enable-admin-api",
    "--storage.tsdb.retention.time=1d",
];

/// What there is in logs, snapshot and checkpoint.
fn kinds_of_records(files: &LiveFiles) -> BTreeSet<&'static str> {
    struct Kinds(BTreeSet<&'static str>);
    impl Visitor for Kinds {
        fn head_chunk(&mut self, _: &HeadChunk, _: &[u8]) -> Result<(), StorageError> {
            Ok(())
        }
        fn snapshot_series(&mut self, _: SnapshotSeries) -> Result<(), StorageError> {
            Ok(())
        }
        fn record(&mut self, _: Source, record: Record) -> Result<(), StorageError> {
            self.0.extend(kinds(&record));
            Ok(())
        }
    }
    let mut kinds = Kinds(BTreeSet::new());
    let mut chunks = HeadChunks::open(&OsFs, &files.head_chunks_dir()).unwrap();
    files.read(&OsFs, &mut chunks, &mut kinds).unwrap();
    kinds.0
}

fn kinds(record: &Record) -> Vec<&'static str> {
    match record {
        Record::Series(_) => vec!["series"],
        Record::Samples(samples) => samples.iter().map(kind_of_sample).collect(),
        Record::Tombstones(_) => vec!["tombstones"],
        Record::Exemplars(_) => vec!["exemplars"],
        Record::Markers(_) => vec!["markers"],
        Record::Metadata(_) => vec!["metadata"],
        _ => vec!["unknown"],
    }
}

fn kind_of_sample(sample: &SampleEntry) -> &'static str {
    match &sample.value {
        SampleValue::Float(_) => "floats",
        SampleValue::Histogram(histogram) if histogram.uses_custom_buckets() => "custom histograms",
        SampleValue::Histogram(_) => "histograms",
    }
}

#[test]
fn a_directory_in_use_is_read_as_it_answers() {
    let Some(program) = peer("prometheus") else { return };
    let dir = ScratchDir::new("prometheus-live");
    let late = serve_late_samples();
    let config = format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\n\
         storage: {{tsdb: {{out_of_order_time_window: 10m}}}}\n\
         scrape_configs:\n\
         - {{job_name: self, static_configs: [{{targets: ['127.0.0.1:SELF']}}]}}\n\
         - {{job_name: custom, convert_classic_histograms_to_nhcb: true, \
             scrape_protocols: [PrometheusText0.0.4], static_configs: [{{targets: ['127.0.0.1:SELF']}}]}}\n\
         - {{job_name: late, scrape_interval: 50ms, scrape_timeout: 50ms, \
             static_configs: [{{targets: ['127.0.0.1:{late}']}}]}}\n"
    );
    fs::write(dir.join("prometheus.yml"), config).unwrap();
    let first = Prometheus::start(&program, &dir, &SNAPPY_FLAGS);
    thread::sleep(Duration::from_secs(28));
    first.quit();
    let stopped = read(&dir);
    assert!(stopped.report.head_chunks > 0, "{:?}", stopped.report);

    let second = Prometheus::start(&program, &dir, &SNAPPY_FLAGS);
    let deleted = "match[]=scrape_duration_seconds&start=0";
    second.request("POST", &format!("/api/v1/admin/tsdb/delete_series?{deleted}"));
    let foreign = check_live_and_killed(second, &dir);
    let files = LiveFiles::find(&OsFs, &dir.join("data")).unwrap();
    assert!(files.snapshot.is_some() && files.wal.len() > 1 && !files.wbl.is_empty(), "{files:?}");
    let kinds = kinds_of_records(&files);
    for kind in ["series", "floats", "histograms", "custom histograms", "tombstones", "metadata", "markers"] {
        assert!(kinds.contains(kind), "{kind} not in {kinds:?}");
    }
    let report = &foreign.report;
    assert!(foreign.head.sample_count() > 10_000 && report.late > 100, "{report:?}");
    assert_eq!((report.without_series, report.refused, report.records_unknown), (0, 0, 0), "{report:?}");
}

#[test]
fn a_directory_with_zstd_is_read_as_it_answers() {
    let (Some(program), Some(exporter)) = (peer("prometheus"), peer("prometheus-node-exporter")) else {
        return;
    };
    let dir = ScratchDir::new("prometheus-zstd");
    let port = free_port();
    let node = Command::new(exporter)
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let node = Prometheus { child: node, port };
    let config = format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n\
         - {{job_name: self, static_configs: [{{targets: ['127.0.0.1:SELF']}}]}}\n\
         - {{job_name: node, static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}\n"
    );
    fs::write(dir.join("prometheus.yml"), config).unwrap();
    let prometheus = Prometheus::start(&program, &dir, &["--storage.tsdb.wal-compression-type=zstd"]);
    thread::sleep(Duration::from_secs(15));
    let foreign = check_live_and_killed(prometheus, &dir);
    drop(node);
    assert!(foreign.head.sample_count() > 1000, "{:?}", foreign.report);
    assert!(foreign.report.damages.iter().all(|damage| damage.kind == DamageKind::Torn));
}
