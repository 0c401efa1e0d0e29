//! Albums: what they are called and what they refer to, in their order.

use std::collections::HashSet;

use safelight_core::error::{Error, Kind as Trouble, Result};
use safelight_core::extras::Album;
use safelight_core::key::printable;

use crate::node::{Kind, Node, Status};
use crate::store::Store;
use crate::walk::{Question, Walk};

const DOING: &str = "listing albums";

impl Store {
    /// All albums of the account, the oldest first; a call for each page of them, and for each page of what one
    /// refers to.
    pub(crate) async fn albums(&self) -> Result<Vec<Album>> {
        let (mut walk, mut albums) = (Walk::new(Question::Albums), Vec::new());
        while walk.end().is_none() {
            for node in walk.page(&self.api, DOING).await? {
                if node.kind == Kind::Album && node.status == Status::There {
                    albums.push(self.album(node).await?);
                }
            }
        }
        whole(&walk, "the albums")?;
        Ok(albums)
    }

    async fn album(&self, node: Node) -> Result<Album> {
        let mut seen = HashSet::new();
        let mut members = Vec::new();
        let mut walk = Walk::new(Question::Members(node.id.clone()));
        self.follow_members(&mut walk, &mut seen, &mut members).await?;
        if walk.end() == Some(false) {
            // There is more than the window shows; what it does not show follows by date.
            walk = Walk::new(Question::Below(node.id.clone()));
            self.follow_members(&mut walk, &mut seen, &mut members).await?;
        }
        let title = node.name.unwrap_or_default();
        whole(&walk, &printable(title.as_bytes()))?;
        let remote_id = node.id.as_str().into();
        Ok(Album { remote_id, title, description: node.about.description, members })
    }

    async fn follow_members(
        &self,
        walk: &mut Walk,
        seen: &mut HashSet<String>,
        members: &mut Vec<std::sync::Arc<str>>,
    ) -> Result<()> {
        while walk.end().is_none() {
            for node in walk.page(&self.api, DOING).await? {
                if node.is_file() && seen.insert(node.id.clone()) {
                    members.push(node.id.into());
                }
            }
        }
        Ok(())
    }
}

fn whole(walk: &Walk, what: &str) -> Result<()> {
    if walk.end() == Some(true) {
        return Ok(());
    }
    Err(Error::new(Trouble::Protocol, format!("{DOING}: {what}: there is more than pages show")))
}
