//! Feeds `promqltest_script` with what libFuzzer makes up.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| narthex_fuzz::targets::promqltest_script::target(data));
