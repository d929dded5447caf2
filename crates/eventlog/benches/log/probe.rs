//! What the disk can do by itself: the same bytes into a file that is full of zeros already, one data sync per commit.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::Path,
    time::{Duration, Instant},
};

/// Longer than anything one probe writes at once.
const FILE_BYTES: u64 = 128 * 1024 * 1024;
/// How long one probe takes.
const TIME: Duration = Duration::from_millis(500);

/// The file of the probe.
#[derive(Debug)]
pub(crate) struct Probe {
    file: File,
}

impl Probe {
    /// Makes the file, full of zeros, on the disk of `dir`.
    pub(crate) fn new(dir: &Path) -> Probe {
        std::fs::create_dir_all(dir).unwrap();
        let path = dir.join("probe");
        let file = File::create(&path).unwrap();
        let zeros = vec![0; 1024 * 1024];
        for at in (0..FILE_BYTES).step_by(zeros.len()) {
            file.write_all_at(&zeros, at).unwrap();
        }
        file.sync_all().unwrap();
        // The file goes when the probe does.
        std::fs::remove_file(path).unwrap();
        Probe { file }
    }

    /// Commits of so many bytes in a second.
    pub(crate) fn commits_per_second(&self, bytes: u64) -> f64 {
        let content = vec![0xa5; usize::try_from(bytes).unwrap()];
        let (start, mut commits, mut at) = (Instant::now(), 0_u32, 0);
        while start.elapsed() < TIME {
            if at + bytes > FILE_BYTES {
                at = 0;
            }
            self.file.write_all_at(&content, at).unwrap();
            self.file.sync_data().unwrap();
            at += bytes;
            commits += 1;
        }
        f64::from(commits) / start.elapsed().as_secs_f64()
    }
}
