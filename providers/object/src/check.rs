//! The health check: one listing of one entry, the cheapest request that needs everything to be right.

use futures::StreamExt;
use opendal::Operator;
use safelight_core::error::{Error, Kind, Result, Scope};
use safelight_core::provider::{Health, Root};

use crate::call::Manner;
use crate::deadline::within;
use crate::errors::translate;
use crate::store::ObjectStore;

const DOING: &str = "looking whether the place is there";

impl ObjectStore {
    /// Whether the place is there and the keys are good. A root below which nothing stands is
    /// [`Root::New`]: these services have no folders.
    pub(crate) async fn health(&self) -> Result<Health> {
        self.leftovers.clear().await;
        within(&*self.context.clock, 0, DOING, self.first_of_root()).await
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
