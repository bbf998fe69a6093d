//! A real server on a loopback port, asked by a client of a few lines.

mod client;
mod formats;
mod limits;
mod peer;
mod stores;
mod transcripts;
mod writing;
