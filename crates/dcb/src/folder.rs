//! The folder of a server: its own, never one that somebody else keeps something in.
//!
//! Not here: what lies in the log (`eventlog`).

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::StartError;

/// The file that says whose folder it is.
const MARKER: &str = "dcb.txt";
/// The log, under another name than that of a node's log: neither opens the other's by mistake.
const EVENTS: &str = "events";

const TEXT: &str = "The events of `doorstroom dcb`. They have nothing to do with any node.\n";

/// Makes the folder if it is not there, and gives that of the log in it.
pub(crate) fn prepare(dir: &Path) -> Result<PathBuf, StartError> {
    let failed = |doing| {
        let path = dir.to_path_buf();
        move |source: io::Error| StartError::Io { doing, path, source }
    };
    fs::create_dir_all(dir).map_err(failed("making the folder"))?;
    let mut ours = false;
    let mut foreign = None;
    for entry in fs::read_dir(dir).map_err(failed("reading the folder"))? {
        let name = entry.map_err(failed("reading the folder"))?.file_name();
        match name.to_str() {
            Some(MARKER) => ours = true,
            // Without the marker it is somebody else's.
            Some(EVENTS) if dir.join(MARKER).exists() => {}
            _ => foreign = Some(name),
        }
    }
    if let Some(found) = foreign {
        return Err(StartError::NotOurs { dir: dir.to_path_buf(), found: found.to_string_lossy().into() });
    }
    if !ours {
        let mut marker = File::create_new(dir.join(MARKER)).map_err(failed("marking the folder"))?;
        marker.write_all(TEXT.as_bytes()).map_err(failed("marking the folder"))?;
        marker.sync_all().map_err(failed("marking the folder"))?;
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed("marking the folder"))?;
    }
    Ok(dir.join(EVENTS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_when_it_is_empty_or_ours() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("new");
        let events = prepare(&dir).unwrap();
        fs::create_dir(&events).unwrap();
        assert_eq!(prepare(&dir).unwrap(), events);
    }

    #[test]
    fn a_folder_with_anything_of_somebody_else_is_refused_and_left_as_it_is() {
        for found in ["log", "network.toml", "events", "segments"] {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir(root.path().join(found)).unwrap();
            let refused = prepare(root.path()).unwrap_err();
            assert!(refused.to_string().contains(found), "{refused}");
            assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_node_that_moved_in_later_keeps_the_server_out() {
        let root = tempfile::tempdir().unwrap();
        prepare(root.path()).unwrap();
        fs::create_dir(root.path().join("log")).unwrap();
        assert!(matches!(prepare(root.path()), Err(StartError::NotOurs { found, .. }) if found == "log"));
    }
}
