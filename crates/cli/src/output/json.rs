//! A result as the HTTP API has it under `data`, byte for byte.

use narthex_api::JsonWriter;
use narthex_api::json::write_value;
use narthex_eval::QueryValue;

/// `{"resultType":…,"result":…}` and a line break.
pub(super) fn write(value: &QueryValue) -> String {
    let mut body = Vec::new();
    let mut out = JsonWriter::new(&mut body);
    out.raw("{");
    let written = write_value(&mut out, value);
    out.raw("}\n");
    let written = written.and(out.finish());
    debug_assert!(written.is_ok(), "memory does not close");
    String::from_utf8(body).expect("JSON is made of strings and digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_one_line() {
        let value = QueryValue::Scalar { at_ms: 10, value: 1e21 };
        let line = "{\"resultType\":\"scalar\",\"result\":[0.01,\"1000000000000000000000\"]}\n";
        assert_eq!(write(&value), line);
    }
}
