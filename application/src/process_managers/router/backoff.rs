use std::time::Duration;

const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(30);

/// How long to wait after the given number of failed attempts: doubling from 50 ms to 30 s, of which a random half
/// is taken away, so that what failed together does not come back together ("equal jitter").
pub(super) fn backoff(failed_attempts: u32, fraction: f64) -> Duration {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(failed_attempts.saturating_sub(1)));
    let ceiling = doubled.min(LONGEST);
    ceiling.mul_f64(0.5 + 0.5 * fraction.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        assert_eq!(backoff(1, 1.0), Duration::from_millis(50));
        assert_eq!(backoff(2, 1.0), Duration::from_millis(100));
        assert_eq!(backoff(5, 1.0), Duration::from_millis(800));
        assert_eq!(backoff(40, 1.0), LONGEST);
        assert_eq!(backoff(u32::MAX, 1.0), LONGEST);
    }

    #[test]
    fn jitter_takes_at_most_half() {
        assert_eq!(backoff(1, 0.0), Duration::from_millis(25));
        assert_eq!(backoff(40, 0.0), LONGEST / 2);
    }
}
