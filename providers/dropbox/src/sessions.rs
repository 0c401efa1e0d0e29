//! Upload sessions for small items, fetched many at once.

use std::time::Duration;

use serde_json::json;
use tokio::sync::Mutex;

use crate::api::Api;
use crate::trouble::Trouble;
use crate::wire::Sessions;

/// Most that one call gives.
const MOST: usize = 1000;
/// Sessions live for seven days.
const LIFE: Duration = Duration::from_hours(6 * 24);

/// Sessions that were not used yet.
#[derive(Debug, Default)]
pub(crate) struct Pool(Mutex<Vec<(String, Duration)>>);

impl Pool {
    /// `count` sessions, at most 1,000. With `more_to_come` a whole stock is laid in.
    pub(crate) async fn take(
        &self,
        api: &Api,
        count: usize,
        more_to_come: bool,
    ) -> Result<Vec<String>, Trouble> {
        let mut stock = self.0.lock().await;
        let now = api.pace.clock().elapsed();
        stock.retain(|(_, since)| *since + LIFE > now);
        if stock.len() < count {
            let wanted = if more_to_come { MOST } else { (count - stock.len()).min(MOST) };
            let argument = json!({"num_sessions": wanted});
            let route = "files/upload_session/start_batch";
            let fresh: Sessions = api.rpc(route, &argument, "beginning uploads").await?;
            stock.extend(fresh.session_ids.into_iter().map(|id| (id, now)));
        }
        let from = stock.len().saturating_sub(count);
        Ok(stock.split_off(from).into_iter().map(|(id, _)| id).collect())
    }
}
