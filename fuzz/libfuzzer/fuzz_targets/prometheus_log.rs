//! Feeds `prometheus_log` with what libFuzzer makes up.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| narthex_fuzz::targets::prometheus_log::target(data));
