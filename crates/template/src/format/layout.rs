//! Layouts of Go's `time.Format`: the parts of the reference time `Mon Jan 2 15:04:05 MST 2006`.

use super::time::{MONTHS, TimeFields, WEEKDAYS, time_fields};

/// `2006-01-02 15:04:05.999 +0000 UTC`.
pub(crate) fn time_text(at_ms: i64) -> String {
    time_layout(at_ms, "2006-01-02 15:04:05.999999999 -0700 MST")
}

/// A part of a layout and what stands for it.
type Part = (&'static str, fn(&TimeFields) -> String);

/// Longer parts before those they begin with.
const PARTS: &[Part] = &[
    ("January", |time| month(time).to_owned()),
    ("Jan", |time| month(time).chars().take(3).collect()),
    ("Monday", |time| weekday(time).to_owned()),
    ("Mon", |time| weekday(time).chars().take(3).collect()),
    ("MST", |_| "UTC".to_owned()),
    ("2006", |time| format!("{:04}", time.year)),
    ("_2006", |time| format!("_{:04}", time.year)),
    ("002", |time| format!("{:03}", time.year_day)),
    ("__2", |time| format!("{:3}", time.year_day)),
    ("01", |time| format!("{:02}", time.month)),
    ("02", |time| format!("{:02}", time.day)),
    ("03", |time| format!("{:02}", hour_of_half(time))),
    ("04", |time| format!("{:02}", time.minute)),
    ("05", |time| format!("{:02}", time.second)),
    ("06", |time| format!("{:02}", time.year.rem_euclid(100))),
    ("15", |time| format!("{:02}", time.hour)),
    ("_2", |time| format!("{:2}", time.day)),
    ("-07:00:00", |_| "+00:00:00".to_owned()),
    ("-070000", |_| "+000000".to_owned()),
    ("-07:00", |_| "+00:00".to_owned()),
    ("-0700", |_| "+0000".to_owned()),
    ("-07", |_| "+00".to_owned()),
    ("Z07:00:00", |_| "Z".to_owned()),
    ("Z070000", |_| "Z".to_owned()),
    ("Z07:00", |_| "Z".to_owned()),
    ("Z0700", |_| "Z".to_owned()),
    ("Z07", |_| "Z".to_owned()),
    ("PM", |time| (if time.hour >= 12 { "PM" } else { "AM" }).to_owned()),
    ("pm", |time| (if time.hour >= 12 { "pm" } else { "am" }).to_owned()),
    ("1", |time| time.month.to_string()),
    ("2", |time| time.day.to_string()),
    ("3", |time| hour_of_half(time).to_string()),
    ("4", |time| time.minute.to_string()),
    ("5", |time| time.second.to_string()),
];

/// Formats under a layout.
pub(crate) fn time_layout(at_ms: i64, layout: &str) -> String {
    let time = time_fields(at_ms);
    let mut out = String::new();
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        let (text, len) = part(rest, &time)
            .or_else(|| fraction(rest, time.millisecond))
            .unwrap_or_else(|| (first.to_string(), first.len_utf8()));
        out.push_str(&text);
        rest = rest.get(len..).unwrap_or("");
    }
    out
}

/// The part that `layout` starts with, filled in, and its length.
fn part(layout: &str, time: &TimeFields) -> Option<(String, usize)> {
    let (name, fill) = PARTS.iter().find(|(name, _)| layout.starts_with(name))?;
    // `Jan` and `Mon` begin words such as `Janet`, which mean themselves.
    let begins_word = matches!(*name, "Jan" | "Mon")
        && layout.get(name.len()..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()));
    (!begins_word).then(|| (fill(time), name.len()))
}

fn month(time: &TimeFields) -> &'static str {
    MONTHS.get(time.month as usize - 1).copied().unwrap_or("")
}

fn weekday(time: &TimeFields) -> &'static str {
    WEEKDAYS.get(time.weekday as usize).copied().unwrap_or("")
}

fn hour_of_half(time: &TimeFields) -> u32 {
    if time.hour.is_multiple_of(12) { 12 } else { time.hour % 12 }
}

/// `.000` and `,000` keep their digits, `.999` and `,999` drop trailing zeros; both only where no digit follows.
fn fraction(layout: &str, millisecond: u32) -> Option<(String, usize)> {
    let mut chars = layout.chars();
    let mark = chars.next().filter(|&mark| mark == '.' || mark == ',')?;
    let digits = chars.as_str();
    let kind = digits.chars().next().filter(|&kind| kind == '0' || kind == '9')?;
    let count = digits.chars().take_while(|&c| c == kind).count();
    if digits.chars().nth(count).is_some_and(|next| next.is_ascii_digit()) {
        return None;
    }
    let all = format!("{millisecond:03}");
    let mut text: String = all.chars().chain(std::iter::repeat('0')).take(count).collect();
    if kind == '9' {
        text.truncate(text.trim_end_matches('0').len());
    }
    let text = if text.is_empty() { text } else { format!("{mark}{text}") };
    Some((text, 1 + count))
}
