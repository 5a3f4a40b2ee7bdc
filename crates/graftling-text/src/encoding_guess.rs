//! What the bytes of a file that is not UTF-8 look like, so that the error can say how to convert them.
//! Never used to read a file: a guess is told, not acted on.

use std::fmt;

/// The encoding that bytes look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncodingGuess {
    /// GBK or GB18030, the legacy encodings of Chinese.
    Gb18030,
    /// Two bytes a sign, the lower first.
    Utf16LittleEndian,
    /// Two bytes a sign, the higher first.
    Utf16BigEndian,
    /// A single-byte encoding, of which Windows-1252 is the most common; or damaged UTF-8.
    Unknown,
}

impl EncodingGuess {
    /// Whether the bytes are UTF-16, by their byte order mark or by where their zeros stand.
    pub(crate) fn utf16(bytes: &[u8]) -> Option<EncodingGuess> {
        if bytes.starts_with(&[0xFF, 0xFE]) {
            return Some(Self::Utf16LittleEndian);
        }
        if bytes.starts_with(&[0xFE, 0xFF]) {
            return Some(Self::Utf16BigEndian);
        }
        let sample = &bytes[..bytes.len().min(4096)];
        let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|&&byte| byte == 0).count();
        // Column names and separators are mostly ASCII, whose higher byte is zero.
        let many = (sample.len() / 2).div_ceil(8).max(2);
        match (zeros(0) >= many, zeros(1) >= many) {
            (false, true) => Some(Self::Utf16LittleEndian),
            (true, false) => Some(Self::Utf16BigEndian),
            _ => None,
        }
    }

    /// What bytes that are not UTF-8 look like.
    pub(crate) fn of(bytes: &[u8]) -> EncodingGuess {
        Self::utf16(bytes).unwrap_or(if looks_like_gb18030(bytes) { Self::Gb18030 } else { Self::Unknown })
    }

    /// The name by which conversion programs know the encoding.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gb18030 => "GB18030",
            Self::Utf16LittleEndian => "UTF-16LE",
            Self::Utf16BigEndian => "UTF-16BE",
            Self::Unknown => "WINDOWS-1252",
        }
    }
}

impl fmt::Display for EncodingGuess {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gb18030 => "the bytes look like GBK",
            Self::Utf16LittleEndian | Self::Utf16BigEndian => "the bytes look like UTF-16",
            Self::Unknown => "if the file is in Windows-1252",
        })
    }
}

/// Whether all bytes above ASCII pair up as GBK writes Chinese, and most pairs are in the block of common signs
/// (GB 2312 levels 1 and 2: lead 0xB0-0xF7, trail 0xA1-0xFE) or its punctuation.
fn looks_like_gb18030(bytes: &[u8]) -> bool {
    // Whole three-byte signs before the first wrong byte: this is UTF-8 that was damaged.
    let valid = str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
    if String::from_utf8_lossy(&bytes[..valid]).chars().any(|sign| sign.len_utf8() == 3) {
        return false;
    }
    let (mut pairs, mut common) = (0usize, 0usize);
    let mut at = 0;
    while at < bytes.len() {
        let lead = bytes[at];
        if lead < 0x80 {
            at += 1;
            continue;
        }
        match (lead, bytes.get(at + 1)) {
            (0x81..=0xFE, Some(&trail)) if matches!(trail, 0x40..=0x7E | 0x80..=0xFE) => {
                pairs += 1;
                common += usize::from(matches!(lead, 0xA1..=0xA3 | 0xB0..=0xF7) && trail >= 0xA1);
                at += 2;
            }
            // Four-byte signs of GB18030: second and fourth byte are digits.
            (0x81..=0xFE, Some(b'0'..=b'9')) if matches!(bytes.get(at + 3), Some(b'0'..=b'9')) => at += 4,
            _ => return false,
        }
    }
    pairs > 1 && common * 4 >= pairs * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "文本,标签\n很好,正面\n" in GBK.
    const GBK: &[u8] = b"\xCE\xC4\xB1\xBE,\xB1\xEA\xC7\xA9\n\xBA\xDC\xBA\xC3,\xD5\xFD\xC3\xE6\n";

    #[test]
    fn legacy_encodings_are_told_apart() {
        let utf16 = |big: bool, mark: bool| -> Vec<u8> {
            let units = mark.then_some(0xFEFF).into_iter().chain("text,label\n好,a\n".encode_utf16());
            units.flat_map(|unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let cases: [(&str, Vec<u8>, EncodingGuess); 7] = [
            ("gbk", GBK.to_vec(), EncodingGuess::Gb18030),
            ("latin-1", b"text,label\ncaf\xE9,a\nna\xEFve,b\n".to_vec(), EncodingGuess::Unknown),
            ("broken utf-8", "text,label\n好,a\n".bytes().chain(*b"\xE5\xA5,a\n").collect(), EncodingGuess::Unknown),
            ("utf-16 le, mark", utf16(false, true), EncodingGuess::Utf16LittleEndian),
            ("utf-16 be, mark", utf16(true, true), EncodingGuess::Utf16BigEndian),
            ("utf-16 le", utf16(false, false), EncodingGuess::Utf16LittleEndian),
            ("utf-16 be", utf16(true, false), EncodingGuess::Utf16BigEndian),
        ];
        for (name, bytes, expected) in cases {
            assert_eq!(EncodingGuess::of(&bytes), expected, "{name}");
        }
        assert_eq!(EncodingGuess::utf16(b"text,label\na,b\n"), None);
    }
}
