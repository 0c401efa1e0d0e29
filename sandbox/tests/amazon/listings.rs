//! Listings and searches, with their limits and moods.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::support::{Web, photo, photo_taken, video};

async fn fill(web: &Web, files: usize) -> String {
    let root = web.root().await;
    let folder = web.make_folder(&root, "many").await.id();
    for n in 0..files {
        web.upload(&folder, &format!("{n:03}.jpg"), &photo(&n.to_string()), "").await;
        web.clock.skip(Duration::from_secs(1));
    }
    folder
}

#[tokio::test]
async fn pages_follow_offsets_in_the_order_asked_for() {
    let web = Web::start().await;
    let folder = fill(&web, 5).await;
    let list = async |more: &str| web.get(&format!("nodes/{folder}/children?{more}")).await;
    assert_eq!(list("").await.names()[0], "004.jpg");
    let oldest = list("sort=%5B'createdDate+ASC'%5D&limit=2&offset=2").await;
    assert_eq!((oldest.count(), oldest.names()), (5, vec!["002.jpg".into(), "003.jpg".into()]));
    assert_eq!(list("sort=%5B'name+DESC'%5D&limit=1").await.names(), ["004.jpg"]);
    assert_eq!(list("offset=5").await.names(), Vec::<String>::new());
    for bad in ["sort=name", "sort=%5B'colour+ASC'%5D", "limit=201", "limit=0", "offset=x"] {
        assert_eq!(list(bad).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn paging_ends_at_9999() {
    let web = Web::start().await;
    for route in ["nodes", "trash", "search"] {
        assert_eq!(web.get(&format!("{route}?limit=200&offset=9799")).await.status, 200);
        let beyond = web.get(&format!("{route}?limit=200&offset=9800")).await;
        assert_eq!(beyond.status, 400);
        assert_eq!(beyond.json()["message"], "Offset + limit cannot be greater than 9999");
    }
    web.sandbox.behave(|behaviour| behaviour.search_window = false);
    assert_eq!(web.get("search?limit=200&offset=20000").await.status, 200);
}

#[tokio::test]
async fn filters_find_what_they_say_or_are_refused() {
    let web = Web::start().await;
    let folder = fill(&web, 3).await;
    let root = web.root().await;
    let id = web.upload(&root, "a-b (1).mov", &video(40, 1), "").await.id();
    let found = async |filter: &str| web.list("nodes", filter, "").await.count();
    let sum = crate::support::md5(&video(40, 1));
    assert_eq!(found(&format!("contentProperties.md5:{sum}")).await, 1);
    assert_eq!(found("kind:FILE AND status:AVAILABLE").await, 4);
    assert_eq!(found("name:00*").await, 3);
    assert_eq!(found(r"name:a\-b\ \(1\).mov").await, 1);
    assert_eq!(found(r#"name:"A-B (1).MOV" OR kind:(FOLDER*)"#).await, 7);
    assert_eq!(found("contentProperties.contentType:video* AND NOT name:x").await, 1);
    let parent = format!("parents:\"{folder}\"");
    assert_eq!(found(&format!("{parent} AND kind:FILE")).await, 3);
    assert_eq!(found(&format!("{parent} AND kind:(FILE OR FOLDER)")).await, 0);
    let range = r#"createdDate:["2024-07-01T12:00:01Z" TO *] AND name:00*"#;
    assert_eq!(found(range).await, 2);
    for bad in [
        "kind:",
        "name:a-b",
        "isRoot:True",
        "type:(PHOTOS)",
        "size:1",
        &["kind:FILE"; 9].join(" AND "),
    ] {
        let refused = web.list("nodes", bad, "").await;
        let message = refused.json()["message"].as_str().unwrap().to_owned();
        assert!(
            refused.status == 400 && message.starts_with("Invalid filter:"),
            "{bad}: {message}"
        );
    }
    assert_eq!(web.get(&format!("nodes/{id}/children")).await.count(), 0);
}

#[tokio::test]
async fn search_knows_photos_and_videos_and_cuts_by_time() {
    let web = Web::start().await;
    let root = web.root().await;
    for (name, date) in [
        ("a.jpg", "2019:09:06 16:30:09"),
        ("b.jpg", "2019:10:07 00:00:00"),
        ("c.jpg", "2023:08:14 10:00:00"),
        ("undated.jpg", "0000:00:00 00:00:00"),
    ] {
        web.upload(&root, name, &photo_taken(date, name), "").await;
    }
    web.upload(&root, "d.mov", &video(40, 1), "").await;
    web.upload(&root, "no photo.jpg", b"encrypted", "").await;
    let search =
        async |filter: &str| web.list("search", filter, "&sort=%5B'name+ASC'%5D").await.names();
    assert_eq!(search("type:(PHOTOS OR VIDEOS)").await.len(), 5);
    assert_eq!(search("type:(VIDEOS)").await, ["d.mov"]);
    assert_eq!(search("type:(PHOTOS) AND timeYear:(2019)").await, ["a.jpg", "b.jpg"]);
    assert_eq!(search("timeYear:(2019) AND timeMonth:(9) AND timeDay:(6)").await, ["a.jpg"]);
    let range =
        r#"contentProperties.contentDate:["2019-10-01T00:00:00Z" TO "2024-01-01T00:00:00Z"]"#;
    assert_eq!(search(range).await, ["b.jpg", "c.jpg"]);
    let grouped = web.list("search", "type:(PHOTOS)", "&groupByForTime=month&limit=1").await.json();
    let times = &grouped["aggregations"]["time"];
    assert_eq!((&times[0]["match"], &times[0]["count"]), (&"2019-09".into(), &1.into()));
    assert_eq!(grouped["nodeToSearchScoreMap"].as_object().unwrap().len(), 1);
    let years = web.get("search/aggregation?aggregationContext=all&category=time").await.json();
    assert_eq!(years["aggregations"]["time"][0]["count"], 2);
    assert_eq!(web.get("search?searchContext=nobody").await.status, 400);
}

#[tokio::test]
async fn pages_can_be_short_although_more_follows() {
    let web = Web::start().await;
    let folder = fill(&web, 8).await;
    web.sandbox.behave(|behaviour| behaviour.short_pages = Some(2));
    let list = async |offset: usize| {
        web.get(&format!("nodes/{folder}/children?limit=4&offset={offset}")).await.ids()
    };
    let (mut seen, mut pages) = (BTreeSet::new(), Vec::new());
    while seen.len() < 8 {
        let page = list(seen.len()).await;
        pages.push(page.len());
        seen.extend(page);
    }
    assert!(pages.contains(&2) && pages.contains(&4), "{pages:?}");
}

#[tokio::test]
async fn listings_can_drift_between_pages() {
    let web = Web::start().await;
    let folder = fill(&web, 9).await;
    web.sandbox.behave(|behaviour| behaviour.drift = Some(3));
    let mut rounds = Vec::new();
    for _ in 0..6 {
        let mut seen = Vec::new();
        for offset in [0, 3, 6] {
            let page = web.get(&format!("nodes/{folder}/children?limit=3&offset={offset}")).await;
            assert_eq!(page.count(), 9);
            seen.extend(page.ids());
        }
        rounds.push((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()));
    }
    let distinct: Vec<_> = rounds.iter().map(|(_, ids)| ids.len()).collect();
    assert!(distinct.iter().any(|ids| *ids < 9), "some round misses one: {distinct:?}");
    assert!(rounds.iter().any(|(length, ids)| *length > ids.len()), "some round repeats one");
    let all: BTreeSet<_> = rounds.into_iter().flat_map(|(_, ids)| ids).collect();
    assert_eq!(all.len(), 9);
}

#[tokio::test]
async fn listings_lag_behind_while_single_nodes_do_not() {
    let web = Web::with(|behaviour| behaviour.listing_lag = Duration::from_secs(30)).await;
    let root = web.root().await;
    let id = web.upload(&root, "a.jpg", &photo("a"), "").await.id();
    assert_eq!(web.list("nodes", "name:a.jpg", "").await.count(), 0);
    assert_eq!(web.get(&format!("nodes/{id}")).await.status, 200);
    assert_eq!(web.upload(&root, "b.jpg", &photo("a"), "").await.status, 409);
    web.clock.skip(Duration::from_secs(31));
    assert_eq!(web.list("nodes", "name:a.jpg", "").await.count(), 1);
    web.patch("trash", serde_json::json!({"op": "add", "value": [id]})).await;
    let stale = web.list("nodes", "name:a.jpg", "").await.json()["data"][0].clone();
    assert_eq!(stale["status"], "AVAILABLE");
    assert_eq!(web.get(&format!("nodes/{id}")).await.json()["status"], "TRASH");
    assert_eq!(web.get("trash").await.count(), 0);
    web.clock.skip(Duration::from_secs(31));
    assert_eq!(web.list("nodes", "name:a.jpg", "").await.count(), 0);
    assert_eq!(web.get("trash").await.count(), 1);
}

#[tokio::test]
async fn new_files_can_be_pending_without_properties_for_a_while() {
    let web = Web::with(|behaviour| behaviour.pending = Duration::from_secs(30)).await;
    let root = web.root().await;
    let made = web.upload(&root, "a.jpg", &photo("a"), "").await;
    assert_eq!(made.json()["status"], "PENDING");
    assert!(made.json().get("contentProperties").is_none());
    let sum = crate::support::md5(&photo("a"));
    let by_sum = format!("contentProperties.md5:{sum}");
    assert_eq!(web.list("nodes", &by_sum, "").await.count(), 0);
    assert_eq!(web.list("nodes", "status:PENDING", "").await.count(), 1);
    web.clock.skip(Duration::from_secs(31));
    let told = web.get(&format!("nodes/{}", made.id())).await.json();
    assert_eq!(
        (&told["status"], &told["contentProperties"]["md5"]),
        (&"AVAILABLE".into(), &sum.into())
    );
    assert_eq!(web.list("nodes", &by_sum, "").await.count(), 1);
}

#[tokio::test]
async fn folders_can_list_what_is_not_theirs() {
    let web = Web::with(|behaviour| behaviour.strays = true).await;
    let root = web.root().await;
    let elsewhere = web.upload(&root, "elsewhere.jpg", &photo("e"), "").await.id();
    let folder = fill(&web, 2).await;
    let listed = web.get(&format!("nodes/{folder}/children")).await.ids();
    web.patch("trash", serde_json::json!({"op": "add", "value": [listed[0]]})).await;
    let again = web.get(&format!("nodes/{folder}/children")).await.ids();
    assert!(again.contains(&elsewhere) && again.contains(&listed[0]) && again.len() == 3);
}
