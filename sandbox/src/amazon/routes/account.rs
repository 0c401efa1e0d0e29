//! What the account uses, may and is called.

use serde_json::{Value, json};

use super::super::answers::{Failure, reply, unknown};
use super::super::dates::text;
use super::super::service::{Call, Service};
use super::super::sniff::Class;
use super::super::state::{Store, Total};
use crate::loopback::Answer;

pub(super) async fn get(service: &Service, call: &Call, what: &str) -> Result<Answer, Failure> {
    let told = match what {
        "usage" => service.with(usage).await?,
        "quota" => service.with(quota).await?,
        "info" => json!({"termsOfUse": "1.0.0", "status": "ACTIVE"}),
        "endpoint" => {
            let host = call.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or("");
            json!({
                "customerExists": true,
                "contentUrl": format!("http://{host}/content/cdproxy/"),
                "metadataUrl": format!("http://{host}/drive/v1/"),
            })
        }
        _ => return Err(unknown()),
    };
    Ok(reply(200, &told))
}

pub(super) fn token(service: &Service) -> Result<Answer, Failure> {
    let now = service.now();
    let (token, seconds) = service.credentials().token(now)?;
    Ok(reply(200, &json!({"access_token": token, "duration": seconds.to_string()})))
}

fn usage(store: &mut Store) -> Value {
    let usage = store.usage();
    let as_text = store.behaviour.numbers_as_text;
    let number = |n: u64| if as_text { json!(n.to_string()) } else { json!(n) };
    let side = |total: Total| json!({"bytes": number(total.bytes), "count": number(total.count)});
    let mut told = json!({"lastCalculated": text(usage.calculated)});
    for ((class, name), total) in Class::ALL.into_iter().zip(usage.totals) {
        let billable = if store.counts(class) { total } else { Total::default() };
        told[name] = json!({"billable": side(billable), "total": side(total)});
    }
    told
}

fn quota(store: &mut Store) -> Value {
    let usage = store.usage();
    let quota = store.behaviour.quota;
    let available = quota.saturating_sub(store.billable(&usage.totals));
    json!({"quota": quota, "available": available, "lastCalculated": text(usage.calculated)})
}
