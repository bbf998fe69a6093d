//! Requests and what they are answered with: `testdata/api/*.http` and the recordings beside them.
//!
//! A line is a method, a path and perhaps a form. Requests of `upstream.http` are also put to a Prometheus with the same
//! samples, if there is one, which must answer with the same status and the same bytes.

use crate::client::{Answer, Running};
use crate::stores::{reading, shop};

/// Method, path, form.
pub(crate) fn requests(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
        let mut parts = line.splitn(3, ' ');
        let mut part = || parts.next().unwrap_or("");
        (part(), part(), part())
    })
}

pub(crate) fn ask(running: &Running, (method, path, form): (&str, &str, &str)) -> Answer {
    let form_type = [("Content-Type", "application/x-www-form-urlencoded")];
    let headers = if form.is_empty() { &[][..] } else { &form_type[..] };
    running.ask(method, path, headers, form.as_bytes())
}

/// How many bytes of a body are recorded: answers of a range are long and all alike.
const BODY_BYTES_MAX: usize = 1500;

fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_end_matches('\n');
    if text.len() <= BODY_BYTES_MAX {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(BODY_BYTES_MAX);
    format!("{}… ({} bytes)", &text[..end], text.len())
}

#[test]
fn requests_are_answered_as_recorded() {
    let running = Running::serving(Default::default(), reading(shop()));
    let mut golden = narthex_testkit::Golden::of("api", "out");
    for fixture in narthex_testkit::fixtures("api", "http") {
        let mut transcript = String::new();
        for request in requests(&fixture.text) {
            let answer = ask(&running, request);
            let kind = answer.header("content-type").unwrap_or("-");
            let (method, path, form) = request;
            transcript += format!("{method} {path} {form}").trim_end();
            transcript += &format!("\n{} {kind}\n", answer.status);
            for name in ["allow", "retry-after"] {
                transcript +=
                    &answer.header(name).map_or(String::new(), |value| format!("{name}: {value}\n"));
            }
            transcript += &format!("{}\n\n", shown(&answer.body));
        }
        golden.check(&fixture.name, &transcript);
    }
    golden.finish();
}
