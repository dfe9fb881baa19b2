//! Whatever happens to the files: the store opens, and shows right rows or none.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use read_model::Store;

use crate::workload::{assert_right, open, options, position, replay};

const COMMITS: u64 = 600;
/// For each of four kinds of damage.
const SEEDS: u64 = 12;

/// A folder that was closed in the middle of a batch, so that it holds a redo file as well.
fn prepared() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for part in 1..=4 {
        let store = open(dir.path());
        replay(&store, COMMITS * part / 4);
        store.flush().unwrap();
    }
    let mut lazy = options();
    lazy.flush_rows = usize::MAX;
    let store = Store::open(dir.path(), &lazy).unwrap();
    replay(&store, COMMITS + 50);
    dir
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if fs::metadata(&path).unwrap().len() > 0 {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn truncate_a_file(dir: &Path, random: &mut SmallRng) {
    let files = files(dir);
    let path = files.choose(random).unwrap();
    let length = fs::metadata(path).unwrap().len();
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_len(random.random_range(0..length)).unwrap();
}

/// Any byte of any file is as likely as any other, so most flips hit the rows.
fn flip_bytes(dir: &Path, random: &mut SmallRng) {
    let mut files: Vec<_> = files(dir)
        .into_iter()
        .map(|path| (fs::read(&path).unwrap(), path))
        .collect();
    let total: usize = files.iter().map(|(bytes, _)| bytes.len()).sum();
    for _ in 0..100 {
        let mut at = random.random_range(0..total);
        for (bytes, _) in &mut files {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= random.random_range(1..=255_u8);
                break;
            }
            at -= bytes.len();
        }
    }
    for (bytes, path) in files {
        fs::write(path, bytes).unwrap();
    }
}

fn flip_one_bit(dir: &Path, random: &mut SmallRng) {
    let files = files(dir);
    let path = files.choose(random).unwrap();
    let mut bytes = fs::read(path).unwrap();
    let at = random.random_range(0..bytes.len());
    bytes[at] ^= 1 << random.random_range(0..8);
    fs::write(path, bytes).unwrap();
}

fn lose_a_file(dir: &Path, random: &mut SmallRng) {
    fs::remove_file(files(dir).choose(random).unwrap()).unwrap();
}

fn survives(hurt: impl Fn(&Path, &mut SmallRng)) {
    let healthy = prepared();
    for seed in 0..SEEDS {
        let dir = tempfile::tempdir().unwrap();
        copy(healthy.path(), dir.path());
        hurt(dir.path(), &mut SmallRng::seed_from_u64(seed));
        let store = open(dir.path());
        assert_eq!(store.is_fresh(), position(&store) == 0, "seed {seed}");
        assert_right(&store);
        replay(&store, COMMITS + 60);
        store.flush().unwrap();
        let digest = store.digest();
        drop(store);
        let store = open(dir.path());
        assert!(!store.is_fresh(), "seed {seed}: what was rebuilt stays");
        assert_eq!(
            (position(&store), store.digest()),
            (COMMITS + 60, digest),
            "seed {seed}"
        );
        assert_right(&store);
    }
}

#[test]
fn a_file_truncated_at_a_random_byte_never_shows_wrong_rows() {
    survives(truncate_a_file);
}

#[test]
fn a_hundred_flipped_bytes_never_show_wrong_rows() {
    survives(flip_bytes);
}

#[test]
fn one_flipped_bit_never_shows_wrong_rows() {
    survives(flip_one_bit);
}

#[test]
fn a_lost_file_never_shows_wrong_rows() {
    survives(lose_a_file);
}

#[test]
fn a_deleted_folder_is_begun_again() {
    let dir = prepared();
    fs::remove_dir_all(dir.path()).unwrap();
    let store = open(dir.path());
    assert!(store.is_fresh());
    replay(&store, 20);
    assert_right(&store);
}

#[test]
fn an_unharmed_folder_is_not_given_up() {
    let dir = prepared();
    let store = open(dir.path());
    assert!(!store.is_fresh());
    assert!(position(&store) >= COMMITS);
    assert_right(&store);
}

#[test]
fn a_damaged_folder_is_moved_aside_for_somebody_to_look_at() {
    let dir = prepared();
    for file in files(&dir.path().join("generation-1/sled")) {
        fs::write(file, "nothing that sled ever wrote").unwrap();
    }
    assert!(open(dir.path()).is_fresh());
    assert!(dir.path().join("generation-1.damaged-1").is_dir());
}

#[test]
fn a_folder_that_goes_away_under_a_running_store_makes_it_answer_errors_until_reopened() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    replay(&store, 50);
    store.flush().unwrap();
    fs::remove_dir_all(dir.path().join("generation-1")).unwrap();
    let mut tx = store.begin().unwrap();
    read_model::RowsMut::put(&mut tx, "new".into(), "row".into());
    store.commit(tx).unwrap();
    assert!(store.flush().unwrap_err().is_damage());
    assert!(store.is_damaged());
    assert!(store.begin().unwrap_err().is_damage());
    assert!(
        store
            .read(|_| Ok::<_, read_model::Error>(()))
            .unwrap_err()
            .is_damage()
    );
    drop(store);
    let store = open(dir.path());
    assert!(store.is_fresh() && !store.is_damaged());
    replay(&store, 60);
    assert_right(&store);
}

#[test]
fn a_store_that_its_owner_declares_damaged_answers_errors() {
    let store = Store::in_memory();
    replay(&store, 5);
    store.declare_damaged("a row contradicts the log");
    let error = store.begin().unwrap_err();
    assert!(error.is_damage() && error.to_string().contains("contradicts the log"));
}
