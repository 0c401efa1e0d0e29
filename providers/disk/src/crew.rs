//! Several items at once, for steps of which a disk does several in little more time than one.
//!
//! The threads are the runtime's blocking ones, which stay for the next batch: starting threads takes longer than many a
//! batch does.

use futures::future::join_all;
use tokio::runtime::Handle;
use tokio::task::{JoinError, spawn_blocking};

const THREADS: usize = 8;

/// Does `work` for every item, on a few threads; answers come in the order of the items, each with its item. Must be
/// called on a blocking thread of a runtime, and waits there.
pub(crate) fn in_parallel<T, R>(
    items: Vec<T>,
    work: impl Fn(&T) -> R + Clone + Send + 'static,
) -> Vec<(T, R)>
where
    T: Send + 'static,
    R: Send + 'static,
{
    let share = items.len().div_ceil(THREADS).max(1);
    let mut items = items.into_iter();
    let mut parts = std::iter::from_fn(|| {
        let part: Vec<_> = items.by_ref().take(share).collect();
        (!part.is_empty()).then_some(part)
    });
    let all = |part: Vec<T>, work: &dyn Fn(&T) -> R| {
        part.into_iter().map(|item| (work(&item), item)).map(|(done, item)| (item, done)).collect()
    };
    let Some(own) = parts.next() else { return Vec::new() };
    let others: Vec<_> = parts
        .map(|part| {
            let work = work.clone();
            spawn_blocking(move || -> Vec<(T, R)> { all(part, &work) })
        })
        .collect();
    let mut done: Vec<(T, R)> = all(own, &work);
    for part in Handle::current().block_on(join_all(others)) {
        done.extend(part.unwrap_or_else(|ended| give_up(ended)));
    }
    done
}

/// A part that panicked, or that a runtime which is shutting down did not begin, has no answers.
fn give_up(ended: JoinError) -> ! {
    let reason = ended.try_into_panic().unwrap_or_else(|ended| Box::new(ended.to_string()));
    std::panic::resume_unwind(reason)
}
