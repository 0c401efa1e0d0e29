//! Runs what OpenDAL does side by side (the parts of one upload), as tasks that belong to the store.

use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;
use opendal::Execute;
use tokio::task::JoinSet;

/// The running parts; dropping this ends them.
#[derive(Debug, Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Execute for Tasks {
    fn execute(&self, task: BoxFuture<'static, ()>) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }
}
