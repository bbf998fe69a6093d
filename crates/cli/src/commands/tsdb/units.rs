//! Durations, sizes and times as promtool writes them.

use std::fmt::Write;

use narthex_model::Timestamp;

/// A duration with its largest unit first: `1h45m5.001s`, `250ms`.
pub(super) fn duration(ms: i64) -> String {
    let mut text = String::new();
    let left = ms.unsigned_abs();
    if ms < 0 {
        text.push('-');
    }
    if left == 0 {
        return "0s".to_owned();
    }
    if left < 1000 {
        return text + &left.to_string() + "ms";
    }
    let (hours, minutes, seconds) = (left / 3_600_000, left / 60_000 % 60, left / 1000 % 60);
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if left >= 60_000 {
        text += &format!("{minutes}m");
    }
    let fraction = format!("{:03}", left % 1000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    text + &format!("{seconds}{point}{fraction}s")
}

/// A size, unit by unit: `3KiB768B`.
pub(super) fn size(bytes: u64) -> String {
    let mut text = String::new();
    for (shift, unit) in
        [(60, "EiB"), (50, "PiB"), (40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB"), (0, "B")]
    {
        let count = (bytes >> shift) & if shift == 60 { 0xf } else { 0x3ff };
        if count > 0 {
            let _ = write!(text, "{count}{unit}");
        }
    }
    if text.is_empty() { "0B".to_owned() } else { text }
}

/// An instant as a date, without what is below a second.
pub(super) fn date(at_ms: Timestamp) -> String {
    let time = jiff::Timestamp::from_second(at_ms.div_euclid(1000));
    time.map_or_else(|_| at_ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string())
}

/// Rows in columns, each 13 wide or as wide as its widest cell and two blanks.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len() + 2).max().unwrap_or(0).max(13);
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let width = if column + 1 == N { 0 } else { widths[column] };
            let _ = write!(text, "{cell:width$}");
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_name_their_units() {
        let durations = [0, 5, -1500, 60_000, 6_305_001, 7_200_000, 90_010];
        let texts = ["0s", "5ms", "-1.5s", "1m0s", "1h45m5.001s", "2h0m0s", "1m30.01s"];
        assert_eq!(durations.map(duration), texts);
        let sizes = [0, 3840, 1 << 20, (5 << 30) + 1];
        assert_eq!(sizes.map(size), ["0B", "3KiB768B", "1MiB", "5GiB1B"]);
        assert_eq!(date(1_790_000_000_999), "2026-09-21 14:13:20 +0000 UTC");
    }
}
