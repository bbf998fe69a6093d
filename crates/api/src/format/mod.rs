//! How the values of queries are written: one file per format, one table.

#[cfg(feature = "arrow")]
mod arrow;
mod csv;
mod json;

use std::borrow::Cow;

use narthex_eval::QueryValue;
use narthex_model::Labels;

use crate::chunks::{ChunkSink, Closed};
use crate::{Answer, Data};

/// A format of answers.
#[derive(Clone, Copy)]
pub struct Format {
    /// Its name at a prompt.
    pub name: &'static str,
    /// Its name in HTTP.
    pub media_type: &'static str,
    /// Writes a value with what was said of it.
    write: fn(&Remarked<'_>, &mut dyn ChunkSink) -> Result<(), Closed>,
}

/// The value of a query with the whole answer around it.
struct Remarked<'a> {
    value: &'a QueryValue,
    answer: &'a Answer,
}

/// All formats; the first is what a client gets that asks for none of them.
pub const FORMATS: &[Format] = &[
    Format { name: "json", media_type: "application/json", write: json::write },
    Format { name: "csv", media_type: "text/csv; charset=utf-8", write: csv::write },
    #[cfg(feature = "arrow")]
    Format { name: "arrow", media_type: "application/vnd.apache.arrow.stream", write: arrow::write },
];

/// The format that every answer has.
pub const JSON: &Format = &FORMATS[0];

impl Format {
    /// The format of a name.
    pub fn by_name(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// The format that an `Accept` header prefers (RFC 9110, section 12.5.1): of the highest weight, of equal ones the
    /// first of [`FORMATS`]. JSON where there is none: clients that ask for anything else are answered nonetheless, as
    /// upstream does.
    pub fn accepted(header: &str) -> &'static Format {
        let mut best = (0.0, JSON);
        for format in FORMATS {
            let weight = weight_of(format.essence(), header);
            if weight > best.0 {
                best = (weight, format);
            }
        }
        best.1
    }

    /// The media type without parameters.
    fn essence(&self) -> &'static str {
        self.media_type.split(';').next().unwrap_or(self.media_type)
    }
}

/// The weight of a media type in an `Accept` header: that of the range that says most of it; 0 when none does.
fn weight_of(media_type: &str, header: &str) -> f32 {
    let (kind, _) = media_type.split_once('/').unwrap_or((media_type, ""));
    let mut best = (0, 0.0);
    for range in header.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let named = parts.next().unwrap_or("");
        let exactness = match named.split_once('/') {
            _ if named.eq_ignore_ascii_case(media_type) => 3,
            Some((of_kind, "*")) if of_kind.eq_ignore_ascii_case(kind) => 2,
            Some(("*", "*")) => 1,
            _ => continue,
        };
        let weight =
            parts.find_map(|part| part.strip_prefix("q=")).map_or(Some(1.0), |text| text.parse().ok());
        if exactness > best.0 {
            best = (exactness, weight.unwrap_or(0.0));
        }
    }
    best.1
}

impl Answer {
    /// Writes the whole body in a format. Only values of queries have formats, all else is JSON.
    ///
    /// # Errors
    /// When nobody reads.
    pub fn write_as(&self, format: &Format, sink: &mut dyn ChunkSink) -> Result<(), Closed> {
        match &self.data {
            Data::Query(value, _) => (format.write)(&Remarked { value, answer: self }, sink),
            _ => self.write(sink),
        }
    }
}

/// The names of the labels of all series, sorted, each once: the columns of a table.
fn label_names(value: &QueryValue) -> Vec<&str> {
    let mut names = Vec::new();
    match value {
        QueryValue::Scalar { .. } | QueryValue::Text { .. } => {}
        QueryValue::Vector(samples) => {
            samples.iter().for_each(|sample| add_names(&mut names, &sample.labels));
        }
        QueryValue::Matrix(series) => series.iter().for_each(|series| add_names(&mut names, &series.labels)),
    }
    names
}

/// What tables call what is no label.
const FIXED_COLUMNS: [&str; 3] = ["timestamp", "value", "histogram"];

/// What tables call the column of the label `name`, one of the sorted `names`: as the label, with low lines behind it
/// where that is what another column is called.
fn column_name<'a>(name: &'a str, names: &[&str]) -> Cow<'a, str> {
    let mut column = Cow::Borrowed(name);
    while FIXED_COLUMNS.contains(&&*column)
        || (column.len() > name.len() && names.binary_search(&&*column).is_ok())
    {
        column.to_mut().push('_');
    }
    column
}

fn add_names<'a>(names: &mut Vec<&'a str>, labels: &'a Labels) {
    for (name, _) in labels.iter() {
        if let Err(place) = names.binary_search(&name) {
            names.insert(place, name);
        }
    }
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_columns_have_one_name() {
        let names = ["histogram", "job", "value", "value_"];
        let columns = names.map(|name| column_name(name, &names));
        assert_eq!(columns, ["histogram_", "job", "value__", "value_"]);
    }

    #[test]
    fn a_client_gets_what_it_prefers_of_what_there_is() {
        let rows = [
            ("", "json"),
            ("*/*", "json"),
            ("text/csv", "csv"),
            ("TEXT/CSV; charset=utf-8", "csv"),
            ("text/*", "csv"),
            ("application/*", "json"),
            ("application/json, text/csv", "json"),
            ("application/json;q=0.5, text/csv", "csv"),
            ("application/json;q=0.5, text/csv;q=0.4, */*;q=0.1", "json"),
            ("text/csv;q=0, */*", "json"),
            ("*/*;q=0.1, text/csv;q=0.2", "csv"),
            ("image/png", "json"),
            ("text/csv;q=x", "json"),
            (",;,/", "json"),
        ];
        for (header, name) in rows {
            assert_eq!(Format::accepted(header).name, name, "{header}");
        }
        let arrow = Format::accepted("application/vnd.apache.arrow.stream").name;
        assert_eq!(arrow, if cfg!(feature = "arrow") { "arrow" } else { "json" });
    }

    #[test]
    fn names_are_unique() {
        for format in FORMATS {
            assert_eq!(Format::by_name(format.name).map(|found| found.media_type), Some(format.media_type));
        }
        assert!(Format::by_name("table").is_none());
    }
}
