//! Whether `narthex tsdb` and promtool say the same of the same directory, whoever made it.
//!
//! Skipped where there is no `promtool`.

#![expect(clippy::expect_used, reason = "a test that cannot run its programs fails")]

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use narthex_testkit::diff::line_diff;
use narthex_testkit::{ScratchDir, SplitMix64, peer};

const FIRST_SECOND: i64 = 1_790_000_000;
const VALUES: [&str; 12] =
    ["0.5", "1e6", "123456789", "1e-7", "-2.25", "1e21", "+Inf", "-Inf", "NaN", "0", "3", "1.5e300"];

/// Series of two metrics over six hours, some with gaps.
fn openmetrics() -> String {
    let mut random = SplitMix64::new(7);
    let mut text = String::new();
    for (metric, kind) in [("requests", "counter"), ("temperature", "gauge")] {
        let _ = writeln!(text, "# HELP {metric} Something.\n# TYPE {metric} {kind}");
        for series in 0..7 {
            for step in (0..500i64).filter(|step| step % 50 < 40 || series < 3) {
                let at = FIRST_SECOND + step * 43 + random.between(0, 3);
                let labels = format!("{{job=\"j{}\",instance=\"i{series}\"}}", series % 2);
                let _ = match kind {
                    "counter" => writeln!(text, "{metric}_total{labels} {} {at}", step * 3 + series),
                    _ => {
                        let value = random.pick(&VALUES).expect("there are values");
                        writeln!(text, "{metric}{labels} {value} {at}.{:03}", random.between(0, 999))
                    }
                };
            }
        }
    }
    let _ = writeln!(text, "# TYPE bare gauge\nbare 1 {FIRST_SECOND}");
    let _ = writeln!(text, "# TYPE odd gauge\nodd{{path=\"a\\\"b\\\\c\\n\u{fc}\"}} 2 {FIRST_SECOND}");
    text + "# EOF\n"
}

fn output(program: &Path, args: &[&str]) -> String {
    let output = Command::new(program).arg("tsdb").args(args).output().expect("the program runs");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// Both programs over one directory. Items of equal rank have no order in what promtool analyzes.
fn compare(promtool: &Path, narthex: &Path, dir: &str) {
    let dump = ["--match", "{job=\"j1\"}", "--match", "temperature"];
    let times = ["--min-time", "1790003000000", "--max-time", "1790012345678"];
    let exact: [&[&str]; 7] = [
        &["list", dir],
        &["list", "-r", dir],
        &["dump", dir],
        &["dump", dump[0], dump[1], dump[2], dump[3], dir],
        &["dump", times[0], times[1], times[2], times[3], dir],
        &["dump-openmetrics", dir],
        &["dump-openmetrics", times[0], times[1], dump[0], dump[1], dir],
    ];
    for args in exact {
        let (theirs, ours) = (output(promtool, args), output(narthex, args));
        assert!(theirs == ours, "{args:?}\n{}", line_diff(&theirs, &ours));
    }
    let unordered: [&[&str]; 2] = [
        &["analyze", "--extended", "--limit", "1000", dir],
        &["analyze", "--limit", "1000", "--match", "{job=\"j1\"}", dir],
    ];
    for args in unordered {
        let (theirs, ours) = (sorted(&output(promtool, args)), sorted(&output(narthex, args)));
        assert!(theirs == ours, "{args:?}\n{}", line_diff(&theirs, &ours));
    }
}

/// Without names and sizes of blocks, and without the number of chunks, which is a matter of taste.
fn comparable(list: &str) -> Vec<Vec<String>> {
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    list.lines().skip(1).map(|line| [&columns(line)[1..5], &columns(line)[6..7]].concat()).collect()
}

#[test]
fn both_say_the_same_of_blocks_made_by_either() {
    let Some(promtool) = peer("promtool") else { return };
    let narthex = Path::new(env!("CARGO_BIN_EXE_narthex"));
    let scratch = ScratchDir::new("promtool-tsdb");
    let file = scratch.join("in.om");
    std::fs::write(&file, openmetrics()).expect("a file can be written");
    let mut lists = Vec::new();
    let mut dumps = Vec::new();
    for (maker, name) in [(&*promtool, "theirs"), (narthex, "ours")] {
        let dir = scratch.join(name);
        let (file, dir) = (file.display().to_string(), dir.display().to_string());
        output(maker, &["create-blocks-from", "openmetrics", &file, &dir]);
        // Without this directory promtool reads nothing.
        std::fs::create_dir_all(Path::new(&dir).join("wal")).expect("a directory can be made");
        compare(&promtool, narthex, &dir);
        assert!(output(narthex, &["verify", &dir]).lines().all(|line| line.ends_with(": sound")));
        lists.push(comparable(&output(&promtool, &["list", &dir])));
        dumps.push(output(&promtool, &["dump", &dir]));
    }
    assert_eq!(lists[0], lists[1]);
    assert!(dumps[0] == dumps[1], "{}", line_diff(&dumps[0], &dumps[1]));
}
