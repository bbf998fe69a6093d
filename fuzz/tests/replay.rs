//! Every target over its seeds and mutations of them, the same in every run.
//!
//! `NARTHEX_FUZZ_ROUNDS=100000 cargo test --release --package narthex-fuzz` makes more mutations of each seed than the
//! few that every run makes.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its seeds fails")]

mod mutate;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use narthex_fuzz::{TARGETS, Target};
use narthex_testkit::SplitMix64;

use mutate::mutated;

/// Mutations of each seed in a run that nobody asked more of.
const ROUNDS: usize = 200;

fn seeds_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

/// All seeds of a folder, by name.
fn seeds(folder: &Path) -> Vec<Vec<u8>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a run is lengthened by the environment")]
fn rounds() -> usize {
    std::env::var("NARTHEX_FUZZ_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// The first input that a target does not survive.
fn failure(run: fn(&[u8]), seeds: &[Vec<u8>], rounds: usize) -> Option<Vec<u8>> {
    let survives = |input: &[u8]| catch_unwind(|| run(input)).is_ok();
    if let Some(seed) = seeds.iter().find(|seed| !survives(seed)) {
        return Some(seed.clone());
    }
    let mut random = SplitMix64::new(1);
    let mut inputs = (0..rounds).flat_map(|_| seeds).map(|seed| mutated(&mut random, seed, seeds));
    inputs.find(|input| !survives(input))
}

fn replay(target: &Target) {
    let seeds = seeds(&seeds_root().join(target.seeds));
    assert!(!seeds.is_empty(), "{} has no seeds", target.name);
    let failure = failure(target.run, &seeds, rounds());
    assert_eq!(failure.map(|input| input.escape_ascii().to_string()), None, "{}", target.name);
}

/// The targets of which every `of`th is the `part`th.
fn replay_part(part: usize, of: usize) {
    TARGETS.iter().skip(part).step_by(of).for_each(replay);
}

// Four tests, because the test harness spreads tests over processors.

#[test]
fn first_quarter_of_the_targets() {
    replay_part(0, 4);
}

#[test]
fn second_quarter_of_the_targets() {
    replay_part(1, 4);
}

#[test]
fn third_quarter_of_the_targets() {
    replay_part(2, 4);
}

#[test]
fn fourth_quarter_of_the_targets() {
    replay_part(3, 4);
}

#[test]
fn a_target_that_fails_is_noticed() {
    let seeds = [b"sum(up)".to_vec()];
    assert_eq!(failure(|_| {}, &seeds, 10), None);
    assert_eq!(failure(|data| assert_ne!(data, b"sum(up)"), &seeds, 0), Some(seeds[0].clone()));
    let mutated = failure(|data| assert_eq!(data, b"sum(up)"), &seeds, 10);
    assert!(mutated.is_some_and(|input| input != seeds[0]));
}

#[test]
fn every_target_has_a_shim_and_every_folder_a_target() {
    let names = |folder: PathBuf| {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let shims = names(Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer/fuzz_targets"));
    assert_eq!(shims, TARGETS.iter().map(|target| target.name).collect::<Vec<_>>());
    let mut folders: Vec<&str> = TARGETS.iter().map(|target| target.seeds).collect();
    folders.sort_unstable();
    folders.dedup();
    assert_eq!(names(seeds_root()), folders);
}
