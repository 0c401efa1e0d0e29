//! The limit on what is sent, by the time of day.

use std::sync::Arc;

use safelight_config::units::Rate;
use safelight_config::{BandwidthRule, Direction};
use safelight_core::time::Clock;
use safelight_core::wrap::Meter;

use crate::render::moment;

/// A meter and the rules that set it.
pub struct Bandwidth {
    meter: Arc<Meter>,
    rules: Vec<BandwidthRule>,
}

impl Bandwidth {
    /// `asked` on the command line wins over the rules of the config. `None`: nothing is ever limited.
    pub fn new(
        asked: Option<Rate>,
        rules: &[BandwidthRule],
        clock: &Arc<dyn Clock>,
    ) -> Option<Self> {
        let asked =
            asked.map(|rate| BandwidthRule { window: None, direction: None, rate: Some(rate) });
        let rules = asked.map_or_else(|| rules.to_vec(), |rule| vec![rule]);
        let limits = rules.iter().any(|rule| rule.rate.is_some());
        limits.then(|| {
            let bandwidth = Self { meter: Arc::new(Meter::new(Arc::clone(clock), 1)), rules };
            bandwidth.adjust(&**clock);
            bandwidth
        })
    }

    /// What counts the bytes.
    pub fn meter(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Sets the meter to what holds at this time of day.
    pub fn adjust(&self, clock: &dyn Clock) {
        let rate = rate_at(&self.rules, moment::minute_of_day(clock.now()));
        self.meter.set_rate(rate.map(|rate| rate.0.bytes()));
    }
}

/// The first rule that fits decides.
fn rate_at(rules: &[BandwidthRule], minute: u16) -> Option<Rate> {
    let fits = |rule: &&BandwidthRule| {
        rule.direction != Some(Direction::Down)
            && rule.window.is_none_or(|window| window.contains(minute))
    };
    rules.iter().find(fits).and_then(|rule| rule.rate)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_the_hour_and_the_direction_holds() {
        let rules = ["down 9 MB/s", "07:00-23:00 up 1 MB/s", "23:00-07:00 unlimited", "5 MB/s"];
        let rules: Vec<BandwidthRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        assert_eq!(rate_at(&rules, 12 * 60), Some("1 MB/s".parse().unwrap()));
        assert_eq!(rate_at(&rules, 2 * 60), None);
        assert_eq!(rate_at(&rules[..2], 2 * 60), None);
    }
}
