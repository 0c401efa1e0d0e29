//! The tables, as numbered steps from an empty file to the present form.
//!
//! Invariant: a step that was released is never edited; a change is a new step at the end. The number of steps
//! taken stands in the file (`user_version`), and a file with more steps than we know is not touched.
//!
//! What the tables promise beyond their constraints:
//! * every present item has a leg at every known destination;
//! * a leg is to do only if its item is present, and has a hold only if it is to do;
//! * a leg of a present item that is not to do holds a copy; a leg of a gone item always does.

use rusqlite::Connection;
use safelight_core::codes;
use safelight_core::error::{Error, Kind, Retry, Scope};

use crate::fault::Fault;

/// Marks the file as ours (`PRAGMA application_id`): "SfLt".
const APPLICATION: i64 = 0x5366_4c74;

/// The steps, oldest first.
const STEPS: &[&str] =
    &[include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// Takes the steps that are missing, all or none.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    take(connection, STEPS)
}

/// Whether the file has no tables yet.
fn is_empty(connection: &Connection) -> Result<bool, Fault> {
    Ok(connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?)
}

/// Whether steps are missing.
///
/// # Errors
/// `catalog/newer` if a newer program wrote the file, `catalog/failed` if it is somebody else's database.
pub(crate) fn is_behind(connection: &Connection) -> Result<bool, Fault> {
    Ok(version(connection)? < STEPS.len())
}

fn take(connection: &mut Connection, steps: &[&str]) -> Result<(), Fault> {
    let transaction = connection.transaction()?;
    let taken = version(&transaction)?;
    for step in steps.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    if taken < steps.len() {
        transaction.pragma_update(None, "user_version", i64::try_from(steps.len()).unwrap_or(0))?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    Ok(transaction.commit()?)
}

fn version(connection: &Connection) -> Result<usize, Fault> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let (version, application) = (pragma("user_version")?, pragma("application_id")?);
    if application != APPLICATION && !is_empty(connection)? {
        let error = Error::new(Kind::NotOurs, "the file is a database of another program");
        return Err(error.code(codes::CATALOG_FAILED).scope(Scope::Run).into());
    }
    match usize::try_from(version) {
        Ok(version) if version <= STEPS.len() => Ok(version),
        _ => {
            let context =
                format!("the catalog has form {version}, this program knows {}", STEPS.len());
            let error = Error::new(Kind::Unsupported, context).code(codes::CATALOG_NEWER);
            Err(error.scope(Scope::Run).retry(Retry::NeedsPerson).into())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn first_form() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        take(&mut connection, &STEPS[..1]).unwrap();
        connection
            .execute_batch(
                "INSERT INTO destination (name) VALUES ('disk');
                 INSERT INTO item (key, size, modified, class, presence, freshness)
                 VALUES (x'61', 5, 0, 'photo', 'present', 'stale');
                 INSERT INTO leg (item, destination, todo) VALUES (1, 1, 1);",
            )
            .unwrap();
        connection
    }

    #[test]
    fn a_catalog_of_the_first_form_is_carried_to_the_present_one_with_its_rows() {
        let mut connection = first_form();
        migrate(&mut connection).unwrap();
        assert!(!is_behind(&connection).unwrap());
        let legs: i64 = connection
            .query_row("SELECT count(*) FROM leg JOIN item", [], |row| row.get(0))
            .unwrap();
        assert_eq!(legs, 1);
    }

    #[test]
    fn a_step_that_fails_leaves_everything_as_it_was() {
        let mut connection = first_form();
        let steps =
            [STEPS[0], "ALTER TABLE item ADD COLUMN taken INTEGER; INSERT INTO nowhere VALUES (1)"];
        assert!(take(&mut connection, &steps).is_err());
        assert!(connection.prepare("SELECT taken FROM item").is_err());
        assert_eq!(version(&connection).unwrap(), 1);
    }

    #[test]
    fn newer_and_foreign_files_are_refused() {
        let mut connection = first_form();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate(&mut connection).unwrap_err().into_error("opening");
        assert_eq!(error.id(), codes::CATALOG_NEWER);

        let mut foreign = Connection::open_in_memory().unwrap();
        foreign.execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
        let error = migrate(&mut foreign).unwrap_err().into_error("opening");
        assert_eq!(error.id(), codes::CATALOG_FAILED);
    }
}
