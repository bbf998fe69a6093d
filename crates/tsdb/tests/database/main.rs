//! The whole store against a map of samples: what was acknowledged is there, whatever happens to process and disk.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "failing is what these are for, the steps say where; the environment says how much"
)]

mod accel;
mod crash;
mod damage;
mod exemplars;
mod full_disk;
mod life;
mod model;
mod sequences;
mod upkeep;
