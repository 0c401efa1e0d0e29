//! Listings and searches.

use serde_json::{Value, json};

use super::super::answers::{Failure, bad, reply};
use super::super::filter::{Filter, Place, check, parse};
use super::super::service::{Call, Service};
use super::super::state::{Request, Scope, Sort, SortKey, Unit};
use crate::form::Fields;
use crate::loopback::Answer;

/// The most nodes on one page.
const LONGEST_PAGE: usize = 200;
/// How far paging by offset reaches.
const WINDOW: usize = 9999;

pub(super) async fn nodes(service: &Service, call: &Call) -> Result<Answer, Failure> {
    let request = read(&call.query, Scope::Nodes, Place::Nodes, true)?;
    list(service, request).await
}

pub(super) async fn trash(service: &Service, call: &Call) -> Result<Answer, Failure> {
    list(service, read(&call.query, Scope::Trash, Place::Nodes, true)?).await
}

pub(super) async fn children(service: &Service, call: &Call, id: &str) -> Result<Answer, Failure> {
    let request = read(&call.query, Scope::Children(id.to_owned()), Place::Nodes, true)?;
    let id = id.to_owned();
    service.act(move |store| store.node(&id).map(|_| ())).await?;
    list(service, request).await
}

pub(super) async fn search(service: &Service, call: &Call) -> Result<Answer, Failure> {
    let context = call.query.get("searchContext").unwrap_or("customer");
    if !["customer", "all", "family", "groups", "unknown"].contains(&context) {
        return Err(bad(&format!("Invalid searchContext: {context}")));
    }
    let windowed = service.behaviour().search_window;
    let request = read(&call.query, Scope::Search, Place::Search, windowed)?;
    let unit = match call.query.get("groupByForTime") {
        None => None,
        Some("year") => Some(Unit::Year),
        Some("month") => Some(Unit::Month),
        Some("day") => Some(Unit::Day),
        Some(other) => return Err(bad(&format!("Invalid groupByForTime: {other}"))),
    };
    let told = service.act(move |store| {
        let (count, page) = store.page(&request)?;
        let scores: serde_json::Map<_, _> =
            page.iter().map(|id| (id.clone(), json!(1.0))).collect();
        let data: Vec<_> = page.iter().map(|id| store.told_in_list(id)).collect();
        let groups = unit.map(|unit| store.by_time(&request, unit)).unwrap_or_default();
        let aggregations =
            if groups.is_empty() { json!({}) } else { json!({"time": entries(groups)}) };
        Ok(json!({
            "count": count, "data": data, "aggregations": aggregations,
            "nodeToSearchScoreMap": scores,
        }))
    });
    Ok(reply(200, &told.await?))
}

pub(super) async fn aggregation(service: &Service, call: &Call) -> Result<Answer, Failure> {
    let mut request = read(&Fields::default(), Scope::Search, Place::Search, true)?;
    let category = call.query.get("category").unwrap_or("").to_owned();
    let told = service.with(move |store| match category.as_str() {
        "time" => json!({"time": entries(store.by_time(&request, Unit::Year))}),
        "type" => {
            let mut count = |kind: &str| {
                request.filter = parse(&format!("type:{kind}")).ok();
                (kind.to_owned(), store.all(&request).len() as u64)
            };
            json!({"type": entries(vec![count("PHOTOS"), count("VIDEOS")])})
        }
        _ => json!({}),
    });
    Ok(reply(200, &json!({"aggregations": told.await?})))
}

fn entries(groups: Vec<(String, u64)>) -> Vec<Value> {
    let entry = |(name, count)| json!({"count": count, "match": name, "searchData": {}});
    groups.into_iter().map(entry).collect()
}

async fn list(service: &Service, request: Request) -> Result<Answer, Failure> {
    let told = service.act(move |store| {
        let (count, page) = store.page(&request)?;
        let data: Vec<_> = page.iter().map(|id| store.told_in_list(id)).collect();
        Ok(json!({"count": count, "data": data}))
    });
    Ok(reply(200, &told.await?))
}

fn read(query: &Fields, scope: Scope, place: Place, windowed: bool) -> Result<Request, Failure> {
    let number = |name: &str, usual: usize| match query.get(name) {
        None => Ok(usual),
        Some(text) => text.parse().map_err(|_| bad(&format!("Invalid {name}: {text}"))),
    };
    let (offset, limit) = (number("offset", 0)?, number("limit", LONGEST_PAGE)?);
    if limit == 0 || limit > LONGEST_PAGE {
        return Err(bad(&format!("Limit must be between 1 and {LONGEST_PAGE}")));
    }
    if windowed && offset.saturating_add(limit) > WINDOW {
        return Err(bad(&format!("Offset + limit cannot be greater than {WINDOW}")));
    }
    let filter = query.get("filters").map(|text| filter(text, place)).transpose()?;
    let sort = query.get("sort").map(sort).transpose()?;
    Ok(Request { scope, filter, sort, offset, limit })
}

fn filter(text: &str, place: Place) -> Result<Filter, Failure> {
    let understood = parse(text).and_then(|filter| check(&filter, place).map(|()| filter));
    understood.map_err(|why| bad(&format!("Invalid filter: {why}")))
}

/// `['createdDate DESC','name ASC']`
fn sort(text: &str) -> Result<Sort, Failure> {
    let wrong = || bad(&format!("Invalid sort: {text}"));
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).ok_or_else(wrong)?;
    let key = |part: &str| {
        let part = part.trim().trim_matches(['\'', '"']);
        let (field, direction) = part.split_once(' ').unwrap_or((part, "ASC"));
        let key = match field {
            "createdDate" => SortKey::Created,
            "modifiedDate" => SortKey::Modified,
            "contentProperties.contentDate" => SortKey::Taken,
            "contentProperties.size" => SortKey::Size,
            "name" => SortKey::Name,
            _ => return None,
        };
        matches!(direction, "ASC" | "DESC").then_some((key, direction == "DESC"))
    };
    inner.split(',').map(key).collect::<Option<_>>().ok_or_else(wrong)
}
