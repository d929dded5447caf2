//! Kill -9 at moments that differ each time.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::{
    check, child,
    parent::{Process, Told},
};

/// Lives of one log: then the next begins, so that looking at everything after each kill stays quick.
const LIVES: u64 = 10;
/// More than a life lasts.
const BATCHES: u64 = 1_000_000;
/// Kills between two lines of progress.
const PROGRESS: u64 = 25;

/// Kills a process so many times, and looks at its log after each.
pub(crate) fn run(kills: u64, seed: u64) {
    println!("{kills} kills, seed {seed}");
    let start = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    let root = tempfile::tempdir().unwrap();
    let (mut records, mut batches) = (0, 0);
    for number in 0..kills.div_ceil(LIVES) {
        let mut told = Told::new(&root.path().join(number.to_string()), random.usize(1..9));
        let lives = LIVES.min(kills - number * LIVES);
        for life in 1..=lives {
            one(&mut told, &mut random);
            check::as_left(&told);
            // Otherwise the next process finds it as the kill left it, and may be killed while it recovers.
            if life == lives || random.u8(..3) == 0 {
                let found = check::reopened(&told);
                records += if life == lives { found } else { 0 };
            }
            let kill = number * LIVES + life;
            if kill.is_multiple_of(PROGRESS) {
                println!("{kill} kills, {:.0} s", start.elapsed().as_secs_f64());
            }
        }
        batches += told.batches.len();
        std::fs::remove_dir_all(&told.dir).unwrap();
        let _none = std::fs::remove_dir_all(told.copy());
    }
    assert!(batches as u64 > kills, "hardly anything was acknowledged: {batches}");
    println!(
        "{kills} kills: {batches} batches acknowledged, all there; {records} records, all sound; {:.0} s",
        start.elapsed().as_secs_f64()
    );
}

/// One life, from opening to the kill.
fn one(told: &mut Told, random: &mut fastrand::Rng) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(told.plan(BATCHES, "busy"));
    let mut process = Process::start(command);
    if random.u8(..4) == 0 {
        // While it opens.
        thread::sleep(Duration::from_micros(random.u64(..40_000)));
    } else {
        process.hear(random.usize(1..100), told);
        thread::sleep(Duration::from_micros(random.u64(..2_000)));
    }
    let status = process.kill(told);
    assert!(status.code().is_none(), "the process ended by itself with {status}, {} is wrong", child::WRONG);
}
