//! Objects that a service gives out other than it says: fetched twice, the same bytes each time, but not those of the
//! service's own digest.
//!
//! They are kept, and remembered with what came, so that a later look knows that there is nothing better to be had.

use std::collections::BTreeMap;

use safelight_core::catalog::Catalog;
use safelight_core::error::Result;

const PAGE: &str = "export/flags";

/// By the number of the content that the service tells of: the SHA-256 of what it gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags(BTreeMap<u64, [u8; 32]>);

impl Flags {
    /// All that a catalog remembers.
    pub async fn load(catalog: &dyn Catalog) -> Result<Self> {
        let mut flags = Self::default();
        for destination in catalog.destinations().await? {
            let text = catalog.page(&destination.name, PAGE).await?;
            for line in text.iter().flat_map(|text| text.lines()) {
                flags.0.extend(read(line));
            }
        }
        Ok(flags)
    }

    /// Remembers them with a destination.
    pub async fn keep(&self, catalog: &dyn Catalog, destination: &str) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let lines = self
            .0
            .iter()
            .map(|(content, sha256)| format!("{content:016x} {}\n", hex::encode(sha256)));
        catalog.keep_page(destination, PAGE, Some(lines.collect())).await
    }

    /// What came instead of this content.
    pub fn get(&self, content: u64) -> Option<[u8; 32]> {
        self.0.get(&content).copied()
    }

    /// Takes over all of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(&other.0);
    }

    /// Remembers one.
    pub fn add(&mut self, content: u64, sha256: [u8; 32]) {
        self.0.insert(content, sha256);
    }
}

fn read(line: &str) -> Option<(u64, [u8; 32])> {
    let (content, sha256) = line.split_once(' ')?;
    let sha256 = hex::decode(sha256).ok()?.try_into().ok()?;
    Some((u64::from_str_radix(content, 16).ok()?, sha256))
}
