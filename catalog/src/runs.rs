//! Past runs and their problems.

use rusqlite::{Connection, params};
use safelight_core::catalog::{Problem, RunId, RunRecord};
use safelight_core::key::Key;
use safelight_core::time::Timestamp;

use crate::fault::{Fault, mistake};
use crate::rows::{Columns, at_most};

/// Of so many runs the single problems are kept. A destination that refuses thousands of files in every run would
/// else let the catalog grow without end; what older runs came to stands in their reports.
const RUNS_WITH_PROBLEMS: i64 = 100;

/// The number of the next run.
pub(crate) fn next(connection: &Connection) -> Result<i64, Fault> {
    Ok(connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM run", [], |row| row.get(0))?)
}

pub(crate) fn begin(
    connection: &Connection,
    run: RunId,
    job: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    connection
        .prepare_cached("INSERT INTO run (id, job, started) VALUES (?1, ?2, ?3)")?
        .execute(params![run.0, job, at.as_nanos()])?;
    Ok(())
}

pub(crate) fn end(
    connection: &Connection,
    run: RunId,
    at: Timestamp,
    exit: i32,
    report: &str,
) -> Result<(), Fault> {
    let known = connection
        .prepare_cached("UPDATE run SET ended = ?2, exit = ?3, report = ?4 WHERE id = ?1")?
        .execute(params![run.0, at.as_nanos(), exit, report])?;
    if known == 0 {
        return Err(mistake(format!("run {} is not in the catalog", run.0)).into());
    }
    connection
        .prepare_cached("DELETE FROM problem WHERE run <= ?1")?
        .execute([run.0.saturating_sub(RUNS_WITH_PROBLEMS)])?;
    Ok(())
}

/// The newest first.
pub(crate) fn newest(connection: &Connection, limit: usize) -> Result<Vec<RunRecord>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT id, job, started, ended, exit, report FROM run ORDER BY id DESC LIMIT ?1",
    )?;
    let runs = statement.query_map([at_most(limit)], |row| {
        let mut columns = Columns::of(row);
        Ok(RunRecord {
            id: RunId(columns.take()?),
            job: columns.take()?,
            started: columns.time()?,
            ended: columns.maybe(Columns::time)?,
            exit: columns.take()?,
            report: columns.take()?,
        })
    })?;
    Ok(runs.collect::<Result<_, _>>()?)
}

/// In the order in which they were found.
pub(crate) fn problems(connection: &Connection, run: RunId) -> Result<Vec<Problem>, Fault> {
    let mut statement = connection.prepare_cached(
        "SELECT run, destination, key, code, message FROM problem WHERE run = ?1 ORDER BY id",
    )?;
    let problems = statement.query_map([run.0], |row| {
        let mut columns = Columns::of(row);
        Ok(Problem {
            run: RunId(columns.take()?),
            destination: columns.take()?,
            key: columns.maybe(Columns::key)?,
            code: columns.code()?,
            message: columns.take()?,
        })
    })?;
    Ok(problems.collect::<Result<_, _>>()?)
}

pub(crate) fn add_problem(connection: &Connection, problem: &Problem) -> Result<(), Fault> {
    connection
        .prepare_cached(
            "INSERT INTO problem (run, destination, key, code, message) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .execute(params![
            problem.run.0,
            problem.destination,
            problem.key.as_ref().map(Key::as_bytes),
            problem.code.0,
            problem.message,
        ])?;
    Ok(())
}
