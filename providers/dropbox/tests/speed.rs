//! How fast a large item goes. In a file of its own, so that no other test takes the processor meanwhile.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::{Account, Behaviour, Quick, digests, noise, stream_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_film_goes_four_times_as_fast_as_one_connection() {
    const RATE: u64 = 5_000_000;
    let measured = Behaviour {
        latency: Duration::from_millis(80),
        commit_time: Duration::from_millis(570),
        ..Behaviour::default()
    };
    let behaviour = Behaviour { upload_rate: Some(RATE), ..measured };
    let account = Account::new(Quick::start(1), behaviour).await;
    let provider = account.open().await;
    let film = noise(1, 128 << 20);
    let known = digests(&*provider, &film);
    let began = account.clock.elapsed();
    stream_of(&*provider, "film.mov", &film, known).await.unwrap();
    let took = account.clock.elapsed().saturating_sub(began);
    let alone = Duration::from_secs(film.len() as u64 / RATE);
    assert!(took * 4 <= alone, "it took {took:?}, one connection takes {alone:?}");
}
