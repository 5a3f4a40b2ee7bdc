//! A point in time as a date, in universal time. Knows no clock.

/// `2026-03-01 14:05 UTC`, of seconds since 1970.
pub(super) fn utc(seconds: u64) -> String {
    graftling_text::strftime(seconds, "%Y-%m-%d %H:%M UTC").expect("a form of dates that is known")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_340, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_709_251_199, "2024-02-29 23:59 UTC"),
            (4_107_542_400, "2100-03-01 00:00 UTC"),
        ] {
            assert_eq!(utc(seconds), date);
        }
    }
}
