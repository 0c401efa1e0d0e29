//! Seats for what may run at once, where the number of seats changes meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::provider::Provider;

/// A number of seats. Whoever has one keeps it, also while the number shrinks; they are given out in the order in which
/// they were asked for.
#[derive(Debug)]
pub struct Seats {
    free: Semaphore,
    number: Mutex<Number>,
}

#[derive(Debug)]
struct Number {
    wanted: usize,
    /// Free or taken.
    there: usize,
}

/// A seat, until it is dropped.
#[derive(Debug)]
pub struct Seat<'a> {
    seats: &'a Seats,
    permit: Option<SemaphorePermit<'a>>,
}

impl Seats {
    /// So many seats, and one at least.
    pub fn new(number: usize) -> Self {
        let there = number.max(1);
        Self { free: Semaphore::new(there), number: Mutex::new(Number { wanted: there, there }) }
    }

    /// Waits for a seat.
    pub async fn take(&self) -> Seat<'_> {
        Seat { seats: self, permit: self.free.acquire().await.ok() }
    }

    /// From now on there are so many seats, and one at least; of those that are taken, some may have to come back first.
    pub fn set(&self, number: usize) {
        let mut state = self.number();
        state.wanted = number.max(1);
        if state.wanted > state.there {
            self.free.add_permits(state.wanted - state.there);
            state.there = state.wanted;
        } else {
            state.there -= self.free.forget_permits(state.there - state.wanted);
        }
    }

    fn number(&self) -> MutexGuard<'_, Number> {
        self.number.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        let mut state = self.seats.number();
        // A seat that just became free would go to whoever waits.
        if state.there > state.wanted {
            state.there -= 1;
            permit.forget();
        }
    }
}

/// Seats for those who read from a provider: as many as it says are sensible at the moment.
pub struct Readers {
    provider: Arc<dyn Provider>,
    seats: Seats,
}

/// A seat of [`Readers`], until it is dropped.
pub struct Reader<'a> {
    readers: &'a Readers,
    _seat: Seat<'a>,
}

impl Readers {
    /// For those who read from `provider`.
    pub fn new(provider: Arc<dyn Provider>) -> Self {
        let seats = Seats::new(provider.reads_at_once());
        Self { provider, seats }
    }

    /// Waits for a seat.
    pub async fn take(&self) -> Reader<'_> {
        let seat = self.seats.take().await;
        Reader { readers: self, _seat: seat }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        // The number changes only by what was read.
        self.readers.seats.set(self.readers.provider.reads_at_once());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn seats_that_are_taken_away_are_gone_once_they_are_given_back() {
        let seats = Seats::new(3);
        let taken = [(); 3].map(|()| seats.take().now_or_never().unwrap());
        let mut waiting = Box::pin(seats.take());
        assert!(waiting.as_mut().now_or_never().is_none());
        seats.set(1);
        for (at, one) in taken.into_iter().enumerate() {
            drop(one);
            assert_eq!(waiting.as_mut().now_or_never().is_some(), at == 2);
        }
    }

    #[test]
    fn more_seats_are_there_at_once() {
        let seats = Seats::new(1);
        let one = seats.take().now_or_never().unwrap();
        assert!(seats.take().now_or_never().is_none());
        seats.set(2);
        let two = seats.take().now_or_never();
        assert!(two.is_some() && seats.take().now_or_never().is_none());
        drop((one, two));
    }

    #[test]
    fn there_is_always_one_seat() {
        let seats = Seats::new(0);
        seats.set(0);
        assert!(seats.take().now_or_never().is_some());
    }
}
