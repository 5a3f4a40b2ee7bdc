//! Figures as a person reads them: counts, times, sizes, rates. Knows nothing of what is counted.

use std::time::Duration;

/// `8,012`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 example`, `8,012 examples`.
pub fn counted(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {one}s", count(number)) }
}

/// `0.42 s`, `12 s`, `1 min 48 s`, `2 h 05 min`.
pub fn time(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds.round() as u64 {
        _ if seconds < 9.95 => format!("{seconds:.1} s"),
        whole @ 0..60 => format!("{whole} s"),
        whole @ 60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        whole => format!("{} h {:02} min", whole / 3600, whole % 3600 / 60),
    }
}

/// `612 B`, `466 kB`, `90.9 MB`, `1.34 GB`: powers of ten, as disks and package indexes count.
pub fn size(bytes: u64) -> String {
    let value = bytes as f64;
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..999_500 => format!("{:.0} kB", value / 1e3),
        999_500..999_950_000 => format!("{:.1} MB", value / 1e6),
        _ => format!("{:.2} GB", value / 1e9),
    }
}

/// `4.82e-5`: a learning rate.
pub fn rate(learning_rate: f32) -> String {
    format!("{learning_rate:.2e}")
}

/// `1 epoch`, `0.5 epochs`, `1.25 epochs`.
pub fn epochs(epochs: f64) -> String {
    let text = format!("{epochs:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text} {}", if text == "1" { "epoch" } else { "epochs" })
}

/// `22,713,986` shown as `22.7 million`, and smaller numbers in full.
pub fn parameters(number: u64) -> String {
    match number {
        0..1_000_000 => count(number),
        1_000_000..1_000_000_000 => format!("{:.1} million", number as f64 / 1e6),
        _ => format!("{:.2} billion", number as f64 / 1e9),
    }
}

/// So many a second; 0 where no time has passed.
pub fn per_second(number: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { number as f64 / time.as_secs_f64() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (22_713_986, "22,713,986")] {
            assert_eq!(count(number), text);
        }
        assert_eq!((counted(1, "step"), counted(2, "step")), ("1 step".to_owned(), "2 steps".to_owned()));
    }

    #[test]
    fn times_are_shown_in_the_units_that_matter() {
        let cases = [
            (0.04, "0.0 s"),
            (9.94, "9.9 s"),
            (9.96, "10 s"),
            (59.6, "1 min 00 s"),
            (108.0, "1 min 48 s"),
            (7500.0, "2 h 05 min"),
        ];
        for (seconds, text) in cases {
            assert_eq!(time(Duration::from_secs_f64(seconds)), text, "{seconds}");
        }
    }

    #[test]
    fn sizes_are_shown_in_powers_of_ten() {
        let cases =
            [(612, "612 B"), (466_247, "466 kB"), (90_868_376, "90.9 MB"), (999_999_999, "1.00 GB"), (1_340_000_000, "1.34 GB")];
        for (bytes, text) in cases {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn epochs_have_no_needless_zeros() {
        for (number, text) in
            [(1.0, "1 epoch"), (2.0, "2 epochs"), (0.5, "0.5 epochs"), (1.254, "1.25 epochs"), (10.0, "10 epochs")]
        {
            assert_eq!(epochs(number), text);
        }
    }
}
