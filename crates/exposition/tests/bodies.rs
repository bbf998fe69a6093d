//! What bodies are read as: recorded ones, those of other projects, arbitrary ones.

use std::fs;

use narthex_exposition::{Entry, Format, Mode, Sample, decode, detect, parse, parse_text, write};
use narthex_model::Labels;
use proptest::prelude::*;

#[test]
fn entries_and_errors_are_as_recorded() {
    for (folder, ext, format) in
        [("exposition/text", "prom", Format::Text), ("exposition/openmetrics", "om", Format::OpenMetrics)]
    {
        let mut golden = narthex_testkit::Golden::of(folder, "out");
        for fixture in narthex_testkit::fixtures(folder, ext) {
            golden.check(&fixture.name, &entries(&fixture.text, format));
        }
        golden.finish();
    }
}

fn entries(body: &str, format: Format) -> String {
    let mut out = String::new();
    for entry in parse(body, format, Mode::File) {
        match entry {
            Ok(Entry::Sample(sample)) => out += &described(&sample),
            Ok(other) => out += &format!("{other:?}\n"),
            Err(error) => {
                let text = error.span().slice(body);
                out += &format!("{} {:?} {text:?} {}\n", error.code, error.span(), error.message);
            }
        }
    }
    out
}

fn described(sample: &Sample<'_>) -> String {
    let labels = sample
        .labels()
        .map_or_else(|error| format!("{} {}", error.code, error.message), |all| all.to_string());
    let mut out = format!("{:?} {labels} {:?}", sample.series_span, sample.value);
    if let Some(timestamp_ms) = sample.timestamp_ms {
        out += &format!(" @{timestamp_ms}");
    }
    if let Some(exemplar) = &sample.exemplar {
        let pairs: Vec<_> = exemplar.labels().collect();
        out += &format!(" # {pairs:?} {:?} {:?}", exemplar.value, exemplar.timestamp_ms);
    }
    out + "\n"
}

#[test]
fn a_scrape_ends_at_the_first_error_and_a_file_does_not() {
    let body = "a 1\nb x\nc 3\nd y\n";
    let outcomes = |mode| parse(body, Format::Text, mode).map(|entry| entry.is_ok()).collect::<Vec<_>>();
    assert_eq!(outcomes(Mode::Scrape), [true, false]);
    assert_eq!(outcomes(Mode::File), [true, false, true, false]);
}

#[test]
fn formats_are_told_apart_and_bytes_must_be_text() {
    assert_eq!(detect("a 1\n# EOF\n"), Format::OpenMetrics);
    assert_eq!(detect("a 1\n# EOF"), Format::OpenMetrics);
    assert_eq!(detect("# EOF\na 1\n"), Format::Text);
    let error = decode(b"a{b=\"\xff\"} 1\n").expect_err("the label value is not UTF-8");
    assert_eq!(format!("{:?}", error.span()), "5..6");
}

#[test]
fn bodies_of_other_projects_parse() {
    let Some(folder) = narthex_testkit::shared_fixtures("prometheus/textparse") else { return };
    let mut paths: Vec<_> = fs::read_dir(folder).expect("a folder").flatten().map(|one| one.path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let body = fs::read_to_string(&path).expect("a text");
        let is_openmetrics = path.to_string_lossy().ends_with(".om.txt");
        let format = if is_openmetrics { Format::OpenMetrics } else { Format::Text };
        let mut samples = 0;
        for entry in parse(&body, format, Mode::Scrape) {
            match entry {
                Ok(Entry::Sample(sample)) => {
                    sample.labels().expect("labels occur once");
                    samples += 1;
                }
                Ok(_) => {}
                Err(error) => assert_eq!(error.message, "", "{} at {:?}", path.display(), error.span()),
            }
        }
        let lines = body.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(samples, lines, "{}", path.display());
    }
}

/// Pieces that make lines likely.
const PIECES: &str = r##"(a|b:c|\{|\}|=|,|"| |\t|\n|"x"|"\\"|\\|1|NaN|1e9|# |#|HELP |TYPE a (counter|histogram)|UNIT |EOF|é|le="1"| # \{)*"##;

proptest! {
    #[test]
    fn no_body_brings_the_parser_down(body in PIECES, other in "\\PC*") {
        for (body, format) in [(&body, Format::Text), (&body, Format::OpenMetrics), (&other, Format::Text)] {
            for entry in parse(body, format, Mode::File) {
                match entry {
                    Ok(Entry::Sample(sample)) => {
                        prop_assert_eq!(sample.series_span.slice(body), sample.series);
                        let _ = sample.labels();
                        let _ = sample.exemplar.map(|exemplar| exemplar.labels().count());
                    }
                    Ok(_) => {}
                    Err(error) => prop_assert!(body.get(error.span().range()).is_some()),
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_read(
        pairs in prop::collection::btree_map("[a-c_é.]{1,3}", "[a\\\\\"\né]{1,4}", 0..4),
        name in "[a-c:_é \"\\\\]{1,4}",
        value in any::<f64>(),
        timestamp_ms in prop::option::of(0i64..),
    ) {
        let labels: Labels =
            pairs.iter().map(|(name, value)| (&**name, &**value)).chain([("__name__", &*name)]).collect();
        let mut body = String::new();
        write::write_sample(&mut body, &labels, value, timestamp_ms);
        let entries: Vec<_> = parse_text(&body).collect();
        prop_assert_eq!(entries.len(), 1);
        let Ok(Entry::Sample(sample)) = &entries[0] else {
            return Err(TestCaseError::fail(format!("{entries:?} for {body}")));
        };
        prop_assert_eq!(sample.labels().ok(), Some(labels));
        prop_assert!(sample.value == value || (sample.value.is_nan() && value.is_nan()));
        prop_assert_eq!(sample.timestamp_ms, timestamp_ms);
    }
}
