//! Verification of the tree: the leaves as they are computed anew, against every signed head and every tile.
//!
//! Not here: going through the records (`verify`).

use std::{collections::VecDeque, path::PathBuf};

use super::{
    ProofError,
    checkpoint::TreeHead,
    heads,
    merkle::{Frontier, Hash},
    tiles::{HASH_BYTES, read_tile, tile_path},
};
use crate::{Finding, codec::wide, core::Core, follow};

/// Goes along with a verification that begins at position 1.
#[derive(Debug)]
pub(crate) struct TreeCheck {
    frontier: Frontier,
    /// Signed heads not reached yet, oldest first.
    heads: VecDeque<(PathBuf, TreeHead)>,
    compared: u64,
    findings: Vec<Finding>,
}

impl TreeCheck {
    pub(crate) fn new(core: &Core) -> Result<TreeCheck, ProofError> {
        let found = heads::all(&*core.storage, &core.dir);
        let found = found.map_err(ProofError::io("reading signed heads", core))?;
        let heads = found.heads.into_iter().map(|(path, head)| (path, head.tree())).collect();
        let unreadable = |file| finding(file, None, "this should be a signed head and is none".into());
        let findings = found.unreadable.into_iter().map(unreadable).collect();
        let mut check = TreeCheck { frontier: Frontier::default(), heads, compared: 0, findings };
        check.compare_heads();
        Ok(check)
    }

    /// The position whose leaf is next.
    pub(crate) fn next(&self) -> u64 {
        self.frontier.size().saturating_add(1)
    }

    /// Takes the leaf of the next position.
    pub(crate) fn leaf(&mut self, core: &Core, leaf: Hash) {
        let findings = &mut self.findings;
        self.frontier.push(leaf, &mut |level, number, hashes| {
            let path = tile_path(&core.dir, level, number);
            let Some(found) = read_tile(&*core.storage, &path) else { return };
            if let Some(place) = found.iter().zip(&hashes).position(|(found, hash)| found != hash) {
                let what = "this tile is not that of the records; remove it, it is made again".into();
                let offset = wide(place.saturating_mul(HASH_BYTES));
                findings.push(Finding { offset, ..finding(path, None, what) });
            }
        });
        self.compare_heads();
    }

    fn compare_heads(&mut self) {
        while let Some((path, signed)) =
            self.heads.pop_front_if(|(_, head)| head.size <= self.frontier.size())
        {
            self.compared = self.compared.saturating_add(1);
            let found = TreeHead { size: self.frontier.size(), root: self.frontier.root() };
            if found != signed {
                let what = format!("this head is signed with {signed}, but the records have {found}");
                self.findings.push(finding(path, Some(signed.size), what));
            }
        }
    }

    /// The tree over everything that was looked at, how many heads it was compared with, and what did not fit. Heads beyond
    /// the last record are signed over something that is not there any more.
    pub(crate) fn end(mut self, core: &Core) -> (TreeHead, u64, Vec<Finding>) {
        // A head may have been signed since this began.
        let durable = follow::refresh(core).unwrap_or_else(|_| core.head()).position;
        for (path, signed) in self.heads.into_iter().filter(|(_, head)| head.size > durable) {
            let what = format!("this head is signed with {signed}, but the log ends at position {durable}");
            self.findings.push(finding(path, Some(signed.size), what));
        }
        let tree = TreeHead { size: self.frontier.size(), root: self.frontier.root() };
        (tree, self.compared, self.findings)
    }
}

fn finding(file: PathBuf, position: Option<u64>, what: String) -> Finding {
    Finding { file, offset: 0, position, what }
}
