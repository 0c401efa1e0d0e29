//! For how long cookies seem to last.
//!
//! What a browser says of them is no guide: they are told to be good for a year, and clients saw them fail after two
//! or three days. So the first sight of them is noted, and everything else is an estimate.

use std::time::Duration;

use safelight_core::notebook::Notebook;
use safelight_core::time::{Clock, Timestamp};

use crate::cookies::Cookies;

const PAGE: &str = "session";
/// After this time one client calls cookies stale ...
const STALE: Duration = Duration::from_hours(48);
/// ... and after this one dead.
const DEAD: Duration = Duration::from_hours(72);

/// Until when these cookies probably last; `None` once they have outlived every estimate.
pub(crate) async fn until(
    cookies: &Cookies,
    notebook: &dyn Notebook,
    clock: &dyn Clock,
) -> Option<Timestamp> {
    let now = clock.now();
    // Without the note they count from now.
    let noted = notebook.read(PAGE).await.ok().flatten();
    let since = noted.as_deref().and_then(|noted| {
        let (fingerprint, nanos) = noted.split_once(' ')?;
        (fingerprint == cookies.fingerprint).then(|| nanos.parse().ok())?
    });
    if since.is_none() {
        let note = format!("{} {}", cookies.fingerprint, now.as_nanos());
        let _ = notebook.write(PAGE, Some(note)).await;
    }
    let since = since.map_or(now, |nanos| Timestamp::from_nanos(nanos).min(now));
    let estimate = [STALE, DEAD].into_iter().map(|span| since.plus(span)).find(|end| *end > now)?;
    Some(cookies.expires.filter(|end| *end > now).map_or(estimate, |end| end.min(estimate)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::country::Country;
    use safelight_core::notebook::Loose;
    use safelight_core::time::SystemClock;

    #[tokio::test]
    async fn the_first_sight_counts_and_not_the_promise_of_the_browser() {
        let country = Country::of("com").unwrap();
        let read = |at: &str| {
            let text = format!("session-id=1; ubid-main=2; at-main={at}");
            Cookies::read(&text, country).unwrap()
        };
        let (notebook, clock) = (Loose::default(), SystemClock::start());
        let hours = |count: u64| {
            let nanos = i64::try_from(Duration::from_hours(count).as_nanos()).unwrap();
            Timestamp::from_nanos(clock.now().as_nanos() - nanos)
        };
        let first = until(&read("a"), &notebook, &clock).await.unwrap();
        assert_eq!(until(&read("a"), &notebook, &clock).await, Some(first));
        for (age, left) in [(50, true), (80, false)] {
            let note = format!("{} {}", read("a").fingerprint, hours(age).as_nanos());
            notebook.write(PAGE, Some(note)).await.unwrap();
            let told = until(&read("a"), &notebook, &clock).await;
            assert_eq!(told.is_some(), left);
        }
        assert!(until(&read("b"), &notebook, &clock).await.unwrap() > first);
        let page = notebook.read(PAGE).await.unwrap().unwrap();
        assert!(page.starts_with(&read("b").fingerprint));
    }
}
