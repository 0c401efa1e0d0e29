//! The one thread that writes.
//!
//! Commands that wait are committed together, because a commit costs a sync of the disk whatever its size. One that is
//! alone needs no savepoint, for which SQLite would keep a copy of every page that changes.
//! Invariants: each command is written whole or not at all, whatever becomes of its neighbours; nobody gets an
//! answer before the commit that holds his command is durable.

use std::thread::JoinHandle;

use rusqlite::Connection;
use safelight_core::error::{Error, Result};
use tokio::sync::{mpsc, oneshot};

use crate::check::Passed;
use crate::fault::{Fault, failed, mistake};

/// Runs in the open transaction; what it gives back is called when the commit is through, with what went wrong.
type Command = Box<dyn FnOnce(&Connection, Company) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Option<&Error>)>;

/// Who else is in the transaction of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Company {
    Alone,
    Others,
}

/// Commands that may wait, which are also the most that are committed together.
const WAITING: usize = 64;

/// The connection that writes, with its thread. Dropping it waits until what was accepted is written.
pub(crate) struct Writer {
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Writes to `connection` as soon as the file `passed` its check; if it did not, every command gets that
    /// error and nothing is written.
    pub(crate) fn start(connection: Connection, passed: Passed) -> Result<Self> {
        let (commands, queue) = mpsc::channel(WAITING);
        let thread = std::thread::Builder::new()
            .name("catalog-writer".to_owned())
            .spawn(move || write(&connection, queue, passed))
            .map_err(|error| failed(error, "starting the writer of the catalog"))?;
        Ok(Self { commands: Some(commands), thread: Some(thread) })
    }

    /// Runs `command` on the writing thread; what it wrote is durable when this returns `Ok`, and nothing of it
    /// is written when this returns an error. Once accepted it is carried out even if this future is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        command: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T> {
        self.accept(command).await?.await.map_err(|_| ended())?
    }

    /// Takes `command` in: it is carried out after all that were accepted before. The receiver gets what
    /// [`Writer::run`] returns.
    pub(crate) async fn accept<T: Send + 'static>(
        &self,
        command: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (tell, answer) = oneshot::channel();
        let command: Command = Box::new(move |connection, company| {
            // Not even tried if an earlier command cost the transaction; the commit then says so.
            let written = (!connection.is_autocommit()).then(|| {
                all_or_none(connection, company, command)
                    .map_err(|fault| fault.into_error("writing the catalog"))
            });
            Box::new(move |lost| {
                let answer = match (written, lost) {
                    (Some(Err(own)), _) => Err(own),
                    (_, Some(error)) => Err(error.duplicate()),
                    (Some(written), None) => written,
                    (None, None) => Err(mistake("a command outside of a transaction")),
                };
                // Nobody listens if the future that asked was dropped.
                let _ = tell.send(answer);
            })
        });
        self.commands.as_ref().ok_or_else(ended)?.send(command).await.map_err(|_| ended())?;
        Ok(answer)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has already failed the commands it was at.
            let _ = thread.join();
        }
    }
}

fn ended() -> Error {
    mistake("the catalog's writer ended")
}

fn write(connection: &Connection, mut queue: mpsc::Receiver<Command>, passed: Passed) {
    let passed = passed.blocking_recv().unwrap_or_else(|_| Err(mistake("the check broke off")));
    if let Err(error) = passed {
        while let Some(command) = queue.blocking_recv() {
            // Without a transaction a command does nothing.
            command(connection, Company::Alone)(Some(&error));
        }
        return;
    }
    while let Some(first) = queue.blocking_recv() {
        let mut commands = vec![first];
        commands.extend(std::iter::from_fn(|| queue.try_recv().ok()).take(WAITING - 1));
        commit(connection, commands);
    }
}

fn commit(connection: &Connection, commands: Vec<Command>) {
    let company = if commands.len() == 1 { Company::Alone } else { Company::Others };
    let begun = connection.execute_batch("BEGIN IMMEDIATE");
    let commands = commands.into_iter();
    let answers: Vec<Answer> = commands.map(|command| command(connection, company)).collect();
    let committed = begun
        .map_err(Fault::from)
        .and_then(|()| still_open(connection))
        .and_then(|()| Ok(connection.execute_batch("COMMIT")?))
        .map_err(|fault| fault.into_error("committing to the catalog"));
    if committed.is_err() {
        give_up(connection);
    }
    for answer in answers {
        answer(committed.as_ref().err());
    }
}

/// Ends the transaction, if there still is one, as if it had not begun.
fn give_up(connection: &Connection) {
    if !connection.is_autocommit() {
        // What failed is told to those who asked; if this fails too, the next BEGIN does and tells.
        let _ = connection.execute_batch("ROLLBACK");
    }
}

fn all_or_none<T>(
    connection: &Connection,
    company: Company,
    command: impl FnOnce(&Connection) -> Result<T, Fault>,
) -> Result<T, Fault> {
    if company == Company::Alone {
        // If it fails, the transaction is what is given up; the commit finds none.
        return command(connection).inspect_err(|_| give_up(connection));
    }
    connection.execute_batch("SAVEPOINT command")?;
    let written = command(connection);
    match &written {
        Ok(_) => connection.execute_batch("RELEASE command")?,
        Err(_) if connection.is_autocommit() => {}
        Err(_) => connection.execute_batch("ROLLBACK TO command; RELEASE command")?,
    }
    written
}

/// SQLite gives up the whole transaction on a full or failing disk; then nobody may go on as if it were open.
fn still_open(connection: &Connection) -> Result<(), Fault> {
    if connection.is_autocommit() {
        let lost = std::io::Error::other("an earlier failure ended the transaction");
        return Err(failed(lost, "writing the catalog").into());
    }
    Ok(())
}
