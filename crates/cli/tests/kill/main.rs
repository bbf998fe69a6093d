//! A server killed again and again while it is written to: whatever it acknowledged is there, and nothing else is.
//!
//! Four writers send batches by remote write; each batch is one instant of the writer's fifty series. The server cuts
//! blocks every ten seconds of sample time and compacts them, so that kills hit every stage of a sample's life. After
//! each kill the server starts again on the same folder and is asked for what came since the kill before, and for
//! everything now and then and at the end. `NARTHEX_KILLS` sets the number of kills, 4 unless it is given.

#![expect(clippy::panic, clippy::disallowed_methods, reason = "a test that fails and is steered")]

mod receiver;
mod server;
mod writer;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use narthex_testkit::{ScratchDir, SplitMix64};

use server::Server;
use writer::{Progress, Race, SERIES, START_MS, STEP_MS};

const WRITERS: usize = 4;
/// After so many kills everything is asked for.
const ROUNDS_PER_FULL_CHECK: usize = 20;

fn kills() -> usize {
    std::env::var("NARTHEX_KILLS").ok().map_or(4, |text| text.parse().expect("NARTHEX_KILLS is a number"))
}

#[test]
fn acknowledged_samples_outlive_kills() {
    let scratch = ScratchDir::new("kill");
    let mut random = SplitMix64::new(0x6b69_6c6c);
    let mut progress = vec![Progress::default(); WRITERS];
    let mut server = Server::start(scratch.path());
    for round in 0..kills() {
        let pause = Duration::from_millis(100 + random.below(700) as u64);
        let known: Vec<u64> = progress.iter().map(|progress| progress.batches).collect();
        progress = write_and_kill(server, progress, pause);
        server = Server::start(scratch.path());
        let is_full = (round + 1) % ROUNDS_PER_FULL_CHECK == 0 || round + 1 == kills();
        for (writer, (progress, known)) in progress.iter_mut().zip(known).enumerate() {
            check(&server, writer, progress, if is_full { 0 } else { known }, round);
        }
    }
    let batches: u64 = progress.iter().map(|one| one.batches).sum();
    println!("{} kills, {} acknowledged samples, 0 lost, 0 wrong", kills(), batches * SERIES as u64);
    assert!(batches > 0, "nothing was written");
    server.kill();
}

/// Lets the writers write for a while, kills the server and says how far each writer got.
fn write_and_kill(server: Server, progress: Vec<Progress>, pause: Duration) -> Vec<Progress> {
    let race = Arc::new(Race::new(&progress));
    let port = server.port();
    let writers = progress.into_iter().enumerate().map(|(number, progress)| {
        let race = Arc::clone(&race);
        thread::spawn(move || writer::write(number, port, progress, &race))
    });
    let writers: Vec<_> = writers.collect();
    thread::sleep(pause);
    server.kill();
    race.is_over.store(true, Ordering::Release);
    writers.into_iter().map(|writer| writer.join().expect("a writer ends")).collect()
}

/// Every acknowledged batch from number `from` on is there with its values; the one that was under way is there whole or
/// not at all.
fn check(server: &Server, writer: usize, progress: &mut Progress, from: u64, round: usize) {
    let stored = server.samples(writer, from);
    let context = format!("round {round}, writer {writer}, {} batches acknowledged", progress.batches);
    let mut lengths: Vec<u64> = stored.values().map(|samples| samples.len() as u64).collect();
    lengths.dedup();
    assert!(stored.len() == SERIES || progress.batches == from, "{context}: {} series", stored.len());
    assert!(lengths.len() <= 1, "{context}: series of lengths {lengths:?}: a batch is there in part");
    let found = from + lengths.first().copied().unwrap_or(0);
    let may_be_one_more = progress.batches + u64::from(progress.in_flight);
    assert!((progress.batches..=may_be_one_more).contains(&found), "{context}: {found} are there");
    for (&series, samples) in &stored {
        for (batch, &(at_ms, value)) in (from..).zip(samples) {
            let expected = (START_MS + batch as i64 * STEP_MS, writer::value(writer, series, batch));
            assert_eq!((at_ms, value), expected, "{context}: series {series}, batch {batch}");
        }
    }
    *progress = Progress { batches: found, in_flight: false };
}
