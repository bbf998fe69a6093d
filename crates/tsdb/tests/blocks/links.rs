//! A block whose chunks lie elsewhere, behind links.

use std::fs;
use std::os::unix::fs::symlink;

use narthex_testkit::ScratchDir;
use narthex_tsdb::block::Block;
use narthex_tsdb::fs::OsFs;

use super::build::{read_all, small_series, ulid, write_block};

#[test]
fn chunks_behind_links_are_read() {
    let scratch = ScratchDir::new("links");
    write_block(&OsFs, scratch.path(), ulid(1), &small_series(), 10).unwrap();
    let dir = scratch.join(ulid(1).to_string());
    let expected = read_all(&Block::open(&OsFs, &dir).unwrap()).unwrap();
    fs::rename(dir.join("chunks/000001"), scratch.join("elsewhere")).unwrap();
    symlink(scratch.join("elsewhere"), dir.join("chunks/000001")).unwrap();
    let block = Block::open(&OsFs, &dir).unwrap();
    assert_eq!(read_all(&block).unwrap(), expected);
    block.verify().unwrap();
    assert!(expected.iter().any(|series| !series.1.is_empty()), "nothing to read");
}
