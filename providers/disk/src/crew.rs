//! Several items at once, for steps of which a disk does several in little more time than one.
//!
//! The threads are the runtime's blocking ones, which stay for the next batch: starting threads takes longer than many a
//! batch does.

use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};

const THREADS: usize = 8;

/// Does `work` for every item, on a few threads with at least so many items each: waking a thread pays for work that takes
/// as long. Answers come in the order of the items, each with its item. Must be called on a blocking thread of a runtime,
/// and waits there.
pub(crate) fn in_parallel<T, R>(
    items: Vec<T>,
    least: usize,
    work: impl Fn(&T) -> R + Clone + Send + 'static,
) -> Vec<(T, R)>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let share = items.len().div_ceil(THREADS).max(least.max(1));
    let mut items = items.into_iter();
    let mut parts = std::iter::from_fn(|| {
        let part: Vec<_> = items.by_ref().take(share).collect();
        (!part.is_empty()).then_some(part)
    });
    let Some(own) = parts.next() else { return Vec::new() };
    let others: Vec<_> = parts
        .map(|part| {
            let work = work.clone();
            spawn_blocking(move || each(part, work))
        })
        .collect();
    let mut done = each(own, work);
    for part in Handle::current().block_on(join_all(others)) {
        done.extend(part.unwrap_or_else(|ended| give_up(ended)));
    }
    done
}

fn each<T, R>(items: Vec<T>, work: impl Fn(&T) -> R) -> Vec<(T, R)> {
    let done = |item| {
        let answer = work(&item);
        (item, answer)
    };
    items.into_iter().map(done).collect()
}

/// A part that panicked, or that a runtime which is shutting down did not begin, has no answers.
fn give_up(ended: JoinError) -> ! {
    let reason = ended.try_into_panic().unwrap_or_else(|ended| Box::new(ended.to_string()));
    std::panic::resume_unwind(reason)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    async fn doubled(count: usize) -> Vec<(usize, usize)> {
        spawn_blocking(move || in_parallel((0..count).collect(), 2, |item| item * 2)).await.unwrap()
    }

    #[tokio::test]
    async fn answers_come_in_the_order_of_the_items() {
        for count in [0, 1, 2, 3, 15, 16, 17, 64, 65] {
            let expected: Vec<_> = (0..count).map(|item| (item, item * 2)).collect();
            assert_eq!(doubled(count).await, expected);
        }
    }

    #[tokio::test]
    async fn a_panic_passes_on_after_all_others_are_done() {
        let done = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&done);
        let work = move |item: &usize| {
            assert_ne!(*item, 63, "this one");
            count.fetch_add(1, Ordering::SeqCst);
        };
        let ended = spawn_blocking(move || in_parallel((0..64).collect(), 1, work)).await;
        assert!(ended.unwrap_err().is_panic());
        assert_eq!(done.load(Ordering::SeqCst), 63);
    }
}
