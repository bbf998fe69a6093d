//! Which kinds of faults a scrape body can have.

use narthex_diag::Code;

/// Something else was expected here.
pub const SYNTAX: Code = Code("EXP001");
/// A value or a timestamp is no number of the kind wanted.
pub const NUMBER: Code = Code("EXP002");
/// A metric type or a unit that cannot be.
pub const METADATA: Code = Code("EXP003");
/// A series without a metric name, or with two.
pub const METRIC_NAME_FAULT: Code = Code("EXP004");
/// `# EOF` is missing or is not the end.
pub const END_MARKER: Code = Code("EXP005");
/// A label name occurs twice in one series.
pub const DUPLICATE_LABEL: Code = Code("EXP006");
/// The body is not UTF-8.
pub const ENCODING: Code = Code("EXP007");

/// Every code with what it means.
pub const CODES: &[(Code, &str)] = &[
    (SYNTAX, "something else was expected"),
    (NUMBER, "a value or a timestamp is not a number of the kind wanted"),
    (METADATA, "a metric type or a unit that cannot be"),
    (METRIC_NAME_FAULT, "a series without a metric name, or with two"),
    (END_MARKER, "the end marker is missing or is not the end"),
    (DUPLICATE_LABEL, "a label name occurs twice in one series"),
    (ENCODING, "the body is not UTF-8"),
];
