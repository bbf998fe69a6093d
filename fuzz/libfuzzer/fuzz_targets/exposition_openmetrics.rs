//! Feeds `exposition_openmetrics` with what libFuzzer makes up.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| narthex_fuzz::targets::exposition_openmetrics::target(data));
