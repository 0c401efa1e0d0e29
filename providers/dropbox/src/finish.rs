//! Finishing uploads: many closed sessions become files in one call.
//!
//! Invariants: a file is only ever made where nothing was, or over exactly the version that was named. Nobody is
//! told of a file before its own entry of an answer, or a look at it, showed size and content hash to be ours.

use futures::StreamExt as _;
use futures::stream;
use safelight_core::digest::Algorithm;
use safelight_core::digest::Digests;
use safelight_core::error::{Error, Kind, Result, Retry, Scope};
use safelight_core::key::Key;
use safelight_core::provider::{Proof, PutMode, Receipt};
use safelight_core::time::Timestamp;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::dates;
use crate::hash::Digest;
use crate::names::{Spot, fold};
use crate::store::Store;
use crate::trouble::{Trouble, foreign};
use crate::wire::{Entries, Metadata};

/// How often a commit is tried in all.
const TRIES: u32 = 6;
/// Looks that are made at once.
pub(crate) const LOOKS: usize = 8;
const DOING: &str = "finishing uploads";

/// What is to stand where.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) key: Key,
    pub(crate) spot: Spot,
    pub(crate) mode: PutMode,
    pub(crate) modified: Option<Timestamp>,
    pub(crate) size: u64,
    /// The content hash of the bytes that were sent.
    pub(crate) hash: Digest,
    /// What the caller knows of the bytes; with `vouched`, they were compared with the hash.
    pub(crate) digests: Digests,
    pub(crate) vouched: bool,
}

/// A closed session that is to become a file.
pub(crate) struct Finish {
    pub(crate) session: String,
    pub(crate) target: Target,
    pub(crate) answer: oneshot::Sender<Result<Receipt>>,
}

/// What is to be done about an entry.
enum Verdict {
    Done(Result<Receipt>),
    Again(Error),
    /// The session is gone: the file may have been made before.
    Look,
}

impl Store {
    /// Finishes a batch. What fails for now is tried again by itself; the sessions stay good.
    pub(crate) async fn finish_all(&self, finishes: Vec<Finish>) {
        // Nobody waits any more for an item whose future was dropped: it is given up here.
        let mut left: Vec<_> =
            finishes.into_iter().filter(|finish| !finish.answer.is_closed()).collect();
        for tries in 1..=TRIES {
            if left.is_empty() {
                return;
            }
            let (waiting, error) = self.finish_once(left).await;
            let Some(error) = error else { return };
            left = waiting;
            if tries == TRIES || self.api.pace.back_off(tries, &error).await.is_err() {
                return self.give_up(left, &error).await;
            }
        }
    }

    /// One call. Answers what is to be tried again, and why.
    async fn finish_once(&self, finishes: Vec<Finish>) -> (Vec<Finish>, Option<Error>) {
        let entries: Vec<_> = finishes.iter().map(entry).collect();
        let answer = self
            .api
            .rpc::<Entries>(
                "files/upload_session/finish_batch_v2",
                &json!({"entries": entries}),
                DOING,
            )
            .await;
        let results = match answer {
            Ok(answer) if answer.entries.len() == finishes.len() => answer.entries,
            Ok(_) => {
                let error = Error::new(Kind::Protocol, format!("{DOING}: entries are missing"));
                return (finishes, Some(error));
            }
            // Sent again as it is: what was made already is answered as it stands, or its session is gone,
            // and then it is looked for.
            Err(trouble) if trouble.may_pass() => return (finishes, Some(trouble.error)),
            Err(trouble) => {
                for finish in finishes {
                    let _ = finish.answer.send(Err(trouble.error.duplicate()));
                }
                return (Vec::new(), None);
            }
        };
        let (mut again, mut looks, mut why) = (Vec::new(), Vec::new(), None);
        for (mut finish, result) in finishes.into_iter().zip(results) {
            match self.judge(&mut finish.target, &result).await {
                Verdict::Done(receipt) => {
                    let _ = finish.answer.send(receipt);
                }
                Verdict::Again(error) => {
                    again.push(finish);
                    why = Some(error);
                }
                Verdict::Look => looks.push(finish),
            }
        }
        self.look_for(looks, |target| {
            Error::new(Kind::Unavailable, format!("storing {}: the upload is gone", target.key))
                .retry(Retry::Now)
                .scope(Scope::Item)
        })
        .await;
        (again, why)
    }

    async fn judge(&self, target: &mut Target, result: &Value) -> Verdict {
        let doing = format!("storing {}", target.key);
        if result.get(".tag").and_then(Value::as_str) == Some("success") {
            // The fields of the file stand beside the tag of the result.
            return match serde_json::from_value::<Metadata>(untagged(result)) {
                Ok(found) => Verdict::Done(self.receipt(target, &found).await),
                Err(error) => Verdict::Done(Err(Error::new(Kind::Protocol, doing).source(error))),
            };
        }
        let trouble = Trouble::of_entry(result.get("failure").unwrap_or(&Value::Null), &doing);
        if trouble.has("malformed_path")
            && let Some(spare) = target.spot.spare.take()
        {
            target.spot.path = spare;
            self.learn_planes_refused().await;
            return Verdict::Again(Error::new(Kind::Name, doing).retry(Retry::Now));
        }
        if trouble.has("lookup_failed") && trouble.has("not_found") {
            return Verdict::Look;
        }
        match trouble.error.kind() {
            Kind::RateLimited | Kind::Unavailable | Kind::Protocol => Verdict::Again(trouble.error),
            Kind::Exists if matches!(target.mode, PutMode::Replace(_)) => {
                Verdict::Done(Err(foreign(&doing)))
            }
            _ => Verdict::Done(Err(trouble.error)),
        }
    }

    /// Looks whether the files stand where they were to be made; who does not find his gets `otherwise`.
    async fn look_for(&self, finishes: Vec<Finish>, otherwise: impl Fn(&Target) -> Error) {
        let looks = finishes.into_iter().map(|finish| async move {
            let doing = format!("looking for {}", finish.target.key);
            let found = self.look(&finish.target.spot, &doing).await;
            (finish, found)
        });
        let mut looks = stream::iter(looks).buffer_unordered(LOOKS);
        while let Some((finish, found)) = looks.next().await {
            let target = &finish.target;
            let answer = match found {
                Ok(Some((_, found)))
                    if found.hash() == Some(target.hash) && found.size() == target.size =>
                {
                    self.receipt(target, &found).await
                }
                Ok(_) => Err(otherwise(target)),
                Err(trouble) => Err(trouble.error),
            };
            let _ = finish.answer.send(answer);
        }
    }

    /// The tries are used up. What was made all the same is found; the rest was tried often enough.
    async fn give_up(&self, left: Vec<Finish>, error: &Error) {
        if error.kind() == Kind::RateLimited && error.reach() != Scope::Item {
            for finish in left {
                let _ = finish.answer.send(Err(error.duplicate()));
            }
            return;
        }
        self.look_for(left, |_| error.duplicate().retry(Retry::Never)).await;
    }

    /// Compares what is stored with what was sent.
    pub(crate) async fn receipt(&self, target: &Target, found: &Metadata) -> Result<Receipt> {
        let doing = format!("storing {}", target.key);
        let differs =
            found.size() != target.size || found.hash().is_some_and(|hash| hash != target.hash);
        if differs {
            self.take_back(target, found).await;
            let context = format!("{doing}: what is stored there is not what was sent");
            return Err(Error::new(Kind::Corrupt, context));
        }
        let folded = fold(&target.spot.path);
        if found.path_lower.as_ref().is_some_and(|path| *path != folded) {
            let context = format!("{doing}: Dropbox stored it under another name");
            return Err(Error::new(Kind::Protocol, context).retry(Retry::Never));
        }
        let entry = found.entry(target.key.clone());
        let proof = match found.hash() {
            Some(_) if target.vouched => Proof::ServerHash(Algorithm::DropboxHash),
            _ => Proof::SizeOnly,
        };
        let known = Digests { dropbox: Some(target.hash), ..Digests::default() };
        Ok(Receipt {
            version: entry.version,
            remote_id: entry.remote_id,
            modified: entry.modified,
            digests: known.merged(target.digests),
            proof,
        })
    }

    /// Removes what this very upload made and must not leave behind.
    async fn take_back(&self, target: &Target, found: &Metadata) {
        if let (PutMode::Create, Some(rev)) = (&target.mode, &found.rev) {
            let argument = json!({"path": target.spot.path, "parent_rev": rev});
            // The error that led here is what counts.
            let _ = self.api.rpc::<Value>("files/delete_v2", &argument, "taking back").await;
        }
    }
}

fn entry(finish: &Finish) -> Value {
    let target = &finish.target;
    let mode = match &target.mode {
        PutMode::Create => json!({".tag": "add"}),
        PutMode::Replace(version) => json!({".tag": "update", "update": &*version.0}),
    };
    let mut commit = json!({
        "path": target.spot.path,
        "mode": mode,
        "autorename": false,
        "mute": true,
    });
    if let Some(modified) = target.modified {
        commit["client_modified"] = dates::write(modified).into();
    }
    json!({
        "cursor": {"session_id": finish.session, "offset": target.size},
        "commit": commit,
    })
}

/// A result without its own tag, so that it is not taken for the tag of what it holds.
fn untagged(result: &Value) -> Value {
    let mut fields = result.clone();
    if let Some(fields) = fields.as_object_mut() {
        fields.remove(".tag");
    }
    fields
}
