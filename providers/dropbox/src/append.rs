//! Adding bytes to an upload session, until they are in it.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::hash;
use crate::store::Store;
use crate::trouble::Trouble;

/// How often they are sent.
const TRIES: u32 = 5;

/// Where some bytes go in a session.
pub(crate) struct Append {
    pub(crate) offset: u64,
    pub(crate) hash: hash::Digest,
    pub(crate) close: bool,
    /// They may have arrived before.
    pub(crate) doubtful: bool,
}

impl Store {
    pub(crate) async fn append(
        &self,
        session: &str,
        append: Append,
        pieces: &[Bytes],
        doing: &str,
    ) -> Result<(), Trouble> {
        let argument = json!({
            "cursor": {"session_id": session, "offset": append.offset},
            "close": append.close,
            "content_hash": hex::encode(append.hash),
        });
        let mut doubtful = append.doubtful;
        for tries in 1.. {
            let route = "files/upload_session/append_v2";
            match self.api.upload::<Value>(route, &argument, pieces, doing).await {
                Ok(_) => break,
                Err(trouble) if doubtful && repeated(&trouble) => break,
                Err(trouble) if trouble.may_pass() && tries < TRIES => {
                    doubtful |= trouble.unknown();
                    self.api.pace.back_off(tries, &trouble.error).await?;
                }
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(())
    }
}

/// Whether the service may say this of bytes that it has already. If it does not have them, finishing the upload
/// fails on its content hash.
fn repeated(trouble: &Trouble) -> bool {
    trouble.status == Some(409)
        && !["not_found", "content_hash_mismatch", "too_large", "payload_too_large"]
            .iter()
            .any(|tag| trouble.has(tag))
}
