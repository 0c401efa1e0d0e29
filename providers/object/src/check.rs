//! The health check: a look at the marker, and if that does not settle it a listing of one entry, the cheapest
//! request that needs everything to be right.

use futures::StreamExt;
use opendal::Operator;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::marker;
use safelight_core::provider::{Health, Root};

use crate::call::Manner;
use crate::deadline::within;
use crate::errors::translate;
use crate::store::{META_SHA256, ObjectStore};

const DOING: &str = "looking whether the place is there";

impl ObjectStore {
    /// Whether the place is there and the keys are good. A root below which nothing stands is
    /// [`Root::New`]: these services have no folders.
    pub(crate) async fn health(&self) -> Result<Health> {
        self.leftovers.clear().await;
        let looking = async {
            let marked = self.ways.metadata && self.has_marker().await?;
            if marked { Ok(health(Root::Ready)) } else { self.first_of_root().await }
        };
        within(&*self.context.clock, 0, DOING, looking).await
    }

    /// Whether the marker is plainly there: then nothing needs to be listed, which is dear at some services. It
    /// must carry our metadata, since a sign-in page has an answer for every address.
    async fn has_marker(&self) -> Result<bool> {
        let path = self.names.encode(&marker::key()?)?;
        let (operator, call) = self.call(Manner::default());
        match operator.stat(&path).await {
            Ok(found) => {
                Ok(found.user_metadata().is_some_and(|kept| kept.get(META_SHA256).is_some()))
            }
            Err(error) => {
                let error = translate(&call, &error, DOING);
                match error.kind() {
                    Kind::Unavailable | Kind::RateLimited | Kind::Timeout | Kind::Cancelled => {
                        Err(error.scope(Scope::Destination))
                    }
                    // Such an answer has no body, so the listing has to tell what is wrong, if anything.
                    _ => Ok(false),
                }
            }
        }
    }

    async fn first_of_root(&self) -> Result<Health> {
        let (operator, call) = self.call(Manner::default());
        let root = self.names.root();
        let missing = match holds_anything(&operator, root).await {
            Ok(true) => return Ok(health(Root::Ready)),
            // Some services take a missing folder for an empty one.
            Ok(false) => call.status().is_some_and(|status| status.as_u16() == 404),
            Err(error) => {
                let error = translate(&call, &error, DOING);
                match error.kind() {
                    Kind::NotFound => true,
                    // Whoever may not even list will get nowhere else either.
                    Kind::Denied => return Err(Error::new(Kind::SignIn, error.context())),
                    _ => return Err(error.scope(Scope::Destination)),
                }
            }
        };
        if missing && root == "/" {
            return Err(Error::new(Kind::Absent, "nothing is at the address of the destination"));
        }
        Ok(health(Root::New))
    }
}

fn health(root: Root) -> Health {
    Health { root, volume: None, signed_in_until: None }
}

async fn holds_anything(operator: &Operator, root: &str) -> opendal::Result<bool> {
    let mut lister = operator.lister_with(root).limit(1).await?;
    while let Some(entry) = lister.next().await.transpose()? {
        // A server may list the folder itself.
        if entry.path() != root && entry.path() != "/" {
            return Ok(true);
        }
    }
    Ok(false)
}
