//! What failed or dropped operations leave at the service: unfinished uploads and temporary objects.
//!
//! A future that is dropped cannot wait for the service, so it parks its leftover here, and the next
//! operation that may clears it away.

use std::sync::{Mutex, MutexGuard, PoisonError};

use opendal::{ErrorKind, Operator, Writer};

/// More than this many are not kept; what is lost then is for the bucket's lifecycle rule.
const MOST: usize = 64;
const TRIES: u8 = 3;

/// Something to be cleared away.
pub(crate) enum Leftover {
    /// An upload in parts that was not completed.
    Upload(Box<Writer>),
    /// A temporary object.
    Object(Operator, String),
}

#[derive(Default)]
pub(crate) struct Leftovers(Mutex<Vec<(Leftover, u8)>>);

impl Leftovers {
    pub(crate) fn park(&self, leftover: Leftover) {
        self.put_back(leftover, 0);
    }

    /// Clears away what was parked. What cannot be cleared away now waits for the next time, three times.
    pub(crate) async fn clear(&self) {
        let count = self.parked().len();
        for _ in 0..count {
            let next = self.parked().pop();
            let Some((leftover, tries)) = next else { return };
            let mut work = Work { home: self, leftover: Some(leftover), tries: tries + 1 };
            let cleared = match &mut work.leftover {
                Some(Leftover::Upload(writer)) => writer.abort().await,
                Some(Leftover::Object(operator, path)) => operator.delete(path).await,
                None => Ok(()),
            };
            // What is not there (any more) is as good as cleared away.
            let gone = cleared.map_or_else(|error| error.kind() == ErrorKind::NotFound, |()| true);
            if gone || work.tries >= TRIES {
                work.leftover = None;
            }
        }
    }

    fn put_back(&self, leftover: Leftover, tries: u8) {
        let mut parked = self.parked();
        if parked.len() >= MOST {
            parked.pop();
        }
        // At the bottom, so that one stubborn leftover does not hide the others.
        parked.insert(0, (leftover, tries));
    }

    fn parked(&self) -> MutexGuard<'_, Vec<(Leftover, u8)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A leftover that is being cleared away; it goes back if the future is dropped meanwhile.
struct Work<'a> {
    home: &'a Leftovers,
    leftover: Option<Leftover>,
    tries: u8,
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if let Some(leftover) = self.leftover.take() {
            self.home.put_back(leftover, self.tries);
        }
    }
}
