//! Writing the Prometheus text format 1.0.0: for a metrics page, for federation.

use narthex_model::labels::{METRIC_NAME, is_legacy_label_name, is_legacy_metric_name};
use narthex_model::number::format_g;
use narthex_model::{Labels, Timestamp};

use crate::entry::MetricType;

/// Appends `# HELP`.
pub fn write_help(out: &mut String, name: &str, help: &str) {
    out.push_str("# HELP ");
    write_metric_name(out, name);
    out.push(' ');
    out.push_str(&help.replace('\\', "\\\\").replace('\n', "\\n"));
    out.push('\n');
}

/// Appends `# TYPE`.
pub fn write_type(out: &mut String, name: &str, metric_type: MetricType) {
    out.push_str("# TYPE ");
    write_metric_name(out, name);
    out.push(' ');
    out.push_str(metric_type.text_word());
    out.push('\n');
}

/// Appends a sample. A metric name that is no legacy name stands quoted within the braces.
pub fn write_sample(out: &mut String, labels: &Labels, value: f64, timestamp_ms: Option<Timestamp>) {
    let name = labels.metric_name();
    let bare = is_legacy_metric_name(name);
    let mut separator = '{';
    if bare {
        out.push_str(name);
    } else {
        out.push(separator);
        write_quoted(out, name);
        separator = ',';
    }
    for (label, value) in labels.iter().filter(|(label, _)| *label != METRIC_NAME) {
        out.push(separator);
        separator = ',';
        if is_legacy_label_name(label) {
            out.push_str(label);
        } else {
            write_quoted(out, label);
        }
        out.push('=');
        write_quoted(out, value);
    }
    if separator == ',' {
        out.push('}');
    }
    out.push(' ');
    out.push_str(&format_g(value));
    if let Some(timestamp_ms) = timestamp_ms {
        out.push_str(&format!(" {timestamp_ms}"));
    }
    out.push('\n');
}

fn write_metric_name(out: &mut String, name: &str) {
    if is_legacy_metric_name(name) { out.push_str(name) } else { write_quoted(out, name) }
}

fn write_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            _ => out.push(c),
        }
    }
    out.push('"');
}
