//! Batches that Dropbox may answer later: asked for once, then asked about until they are done.

use std::time::Duration;

use safelight_core::error::{Error, Kind};
use serde_json::{Value, json};

use crate::api::Api;
use crate::trouble::Trouble;

/// For how long a batch is asked about.
const LONGEST: Duration = Duration::from_mins(10);
const FIRST_WAIT: Duration = Duration::from_millis(500);

impl Api {
    /// Calls `route` with `count` entries and answers their results in the same order.
    pub(crate) async fn batch(
        &self,
        route: &str,
        check: &str,
        argument: &Value,
        count: usize,
        doing: &str,
    ) -> Result<Vec<Value>, Trouble> {
        let mut answer: Value = self.rpc(route, argument, doing).await?;
        let began = self.pace.clock().elapsed();
        let id = answer.get("async_job_id").cloned();
        let mut wait = FIRST_WAIT;
        loop {
            if let Some(Value::Array(entries)) = answer.get_mut("entries") {
                if entries.len() == count {
                    return Ok(std::mem::take(entries));
                }
                return Err(nonsense(doing));
            }
            match (answer.get(".tag").and_then(Value::as_str), &id) {
                (Some("async_job_id" | "in_progress"), Some(id)) => {
                    if self.pace.clock().elapsed().saturating_sub(began) > LONGEST {
                        let context = format!("{doing}: Dropbox does not come to an end");
                        return Err(Error::new(Kind::Timeout, context).into());
                    }
                    self.pace.sleep(wait).await?;
                    wait = Duration::from_millis(count as u64 * 10).max(FIRST_WAIT);
                    answer = self.rpc(check, &json!({"async_job_id": id}), doing).await?;
                }
                (Some("failed"), _) => {
                    return Err(Trouble::of_entry(&answer["failed"], doing));
                }
                _ => return Err(nonsense(doing)),
            }
        }
    }
}

fn nonsense(doing: &str) -> Trouble {
    Error::new(Kind::Protocol, format!("{doing}: an answer that makes no sense")).into()
}
