//! The threads that answer questions.
//!
//! Invariant: every question sees one state of the catalog, that of some moment after it was asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use safelight_core::error::Result;
use tokio::sync::{mpsc, oneshot};

use crate::fault::{Fault, failed, mistake};

type Question = Box<dyn FnOnce(&Connection) + Send>;

/// Questions that may wait for a thread before those who ask have to.
const WAITING: usize = 16;

/// Read-only connections, each with its thread. Dropping it waits for the questions under way.
pub(crate) struct Readers {
    questions: Option<mpsc::Sender<Question>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    /// One thread for each connection.
    pub(crate) fn start(connections: impl IntoIterator<Item = Connection>) -> Result<Self> {
        let (questions, queue) = mpsc::channel(WAITING);
        let queue = Arc::new(Mutex::new(queue));
        let mut readers = Self { questions: Some(questions), threads: Vec::new() };
        for connection in connections {
            let queue = Arc::clone(&queue);
            let thread = std::thread::Builder::new()
                .name("catalog-reader".to_owned())
                .spawn(move || answer(&connection, &queue))
                .map_err(|error| failed(error, "starting a reader of the catalog"))?;
            readers.threads.push(thread);
        }
        Ok(readers)
    }

    /// Asks `question` on one of the threads.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        let (tell, answer) = oneshot::channel();
        let question: Question = Box::new(move |connection| {
            let answer = in_one_state(connection, question);
            // Nobody listens if the future that asked was dropped.
            let _ = tell.send(answer.map_err(|fault| fault.into_error("reading the catalog")));
        });
        let ended = || mistake("the catalog's reader ended");
        self.questions.as_ref().ok_or_else(ended)?.send(question).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.questions = None;
        for thread in self.threads.drain(..) {
            // A reader that panicked has already failed the question it was at.
            let _ = thread.join();
        }
    }
}

fn answer(connection: &Connection, queue: &Mutex<mpsc::Receiver<Question>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match next {
            Some(question) => question(connection),
            None => return,
        }
    }
}

fn in_one_state<T>(
    connection: &Connection,
    question: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let transaction = connection.unchecked_transaction()?;
    let answer = question(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}
