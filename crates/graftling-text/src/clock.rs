//! The date and the time as Python's `strftime` writes them, in universal time: some chat templates tell them to the model, and reports to
//! people. Knows nothing of either.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAYS: [&str; 7] = ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// The present in a format; a letter behind % that is not known is the error.
pub(crate) fn now(format: &str) -> Result<String, char> {
    strftime(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()), format)
}

/// A time in seconds since 1970, in a format of Python's `strftime`; a letter behind % that is not known is the error. The Gregorian
/// calendar is counted from March, as in Hinnant's `civil_from_days`.
pub fn strftime(seconds: u64, format: &str) -> Result<String, char> {
    let (since, rest) = (seconds / 86_400, seconds % 86_400);
    let days = since + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest % 3600 / 60, rest % 60);
    let (month_name, day_name) = (MONTHS[month as usize - 1], DAYS[(since % 7) as usize]);
    let mut text = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        text += &match letters.next().unwrap_or('%') {
            'Y' => format!("{year:04}"),
            'y' => format!("{:02}", year % 100),
            'm' => format!("{month:02}"),
            'd' => format!("{day:02}"),
            'B' => month_name.to_owned(),
            'b' => month_name[..3].to_owned(),
            'A' => day_name.to_owned(),
            'a' => day_name[..3].to_owned(),
            'H' => format!("{hour:02}"),
            'M' => format!("{minute:02}"),
            'S' => format!("{second:02}"),
            '%' => "%".to_owned(),
            other => return Err(other),
        };
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_python_writes_them() {
        let cases = [
            (0, "%d %b %Y", "01 Jan 1970"),
            (951_782_340, "%A, %d %B %Y, %H:%M:%S", "Monday, 28 February 2000, 23:59:00"),
            (951_782_400, "%a %y-%m-%d 100%%", "Tue 00-02-29 100%"),
            (4_107_542_400, "%Y-%m-%d", "2100-03-01"),
        ];
        for (seconds, format, expected) in cases {
            assert_eq!(strftime(seconds, format).as_deref(), Ok(expected));
        }
        assert_eq!(strftime(0, "%Q"), Err('Q'));
    }
}
