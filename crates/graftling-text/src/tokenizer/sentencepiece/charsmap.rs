//! The map of characters of a SentencePiece model: checked before anything trusts it, for a damaged one would lead out of bounds on some
//! text; and read as sentencepiece itself reads it. Knows nothing of the model around it.

/// The bits of a unit that say by which byte it is reached; the highest marks a value.
const LABEL: u32 = 0x8000_00FF;
/// The bits of a unit that are a value.
const VALUE: u32 = 0x7FFF_FFFF;

/// What is replaced is never as long. In a damaged map the trie may lead into itself, and every text would be followed to its end.
const LONGEST_KEY_BYTES: usize = 256;
/// No replacement is as long; of a damaged map each could be all that stands in it.
const LONGEST_REPLACEMENT_BYTES: usize = 4096;

/// A checked map (Darts' layout, as sentencepiece's normalizer writes it).
pub(in crate::tokenizer) struct CharsMap {
    /// The units of the trie.
    units: Vec<u32>,
    /// All replacements, each ended by a zero byte.
    texts: String,
}

impl CharsMap {
    /// Takes the bytes of a map. Its whole trie is walked: every state must lead to units that are there, and every value to the beginning
    /// of a text that is there.
    pub fn read(map: &[u8]) -> Result<CharsMap, String> {
        let Some((length, rest)) = map.split_first_chunk::<4>() else {
            return Err("it is shorter than its own header".to_owned());
        };
        let trie_bytes = u32::from_le_bytes(*length) as usize;
        let parts = rest.split_at_checked(trie_bytes).filter(|_| trie_bytes.is_multiple_of(4) && trie_bytes > 0);
        let Some((trie, texts)) = parts else {
            return Err(format!("it says that {trie_bytes} bytes of its {} are a trie", map.len()));
        };
        let units: Vec<u32> = trie.chunks_exact(4).map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]])).collect();
        let texts = std::str::from_utf8(texts).map_err(|_| "its replacements are not UTF-8".to_owned())?;
        if let Some(text) = texts.split('\0').find(|text| text.len() > LONGEST_REPLACEMENT_BYTES) {
            return Err(format!("a replacement of {} bytes; at most {LONGEST_REPLACEMENT_BYTES} are accepted", text.len()));
        }
        check(&units, texts)?;
        Ok(CharsMap { units, texts: texts.to_owned() })
    }

    /// The longest beginning of a text that is replaced: how many bytes it has, and what stands for it.
    pub fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut found = None;
        let mut place = offset(self.units[0]);
        for (index, &byte) in text.as_bytes().iter().enumerate().take(LONGEST_KEY_BYTES) {
            place ^= usize::from(byte);
            let unit = self.units.get(place).copied().filter(|unit| byte > 0 && unit & LABEL == u32::from(byte));
            let Some(unit) = unit else { break };
            place ^= offset(unit);
            if is_end(unit) && text.is_char_boundary(index + 1) {
                found = Some((index + 1, self.units[place] & VALUE));
            }
        }
        let (bytes, value) = found?;
        Some((bytes, self.texts[value as usize..].split('\0').next().unwrap_or_default()))
    }
}

/// Walks a whole double-array trie.
fn check(units: &[u32], texts: &str) -> Result<(), String> {
    let mut seen = vec![false; units.len()];
    let mut open = vec![0];
    while let Some(place) = open.pop() {
        if std::mem::replace(&mut seen[place], true) {
            continue;
        }
        let base = place ^ offset(units[place]);
        // The library looks at the unit of any byte that a text may have next, the zero byte excepted.
        if base | 0xFF >= units.len() {
            return Err(format!("unit {place} of its trie leads to unit {}, but there are {}", base | 0xFF, units.len()));
        }
        let value = (units[base] & VALUE) as usize;
        if is_end(units[place]) && !texts.is_char_boundary(value) {
            return Err(format!("a value of its trie is {value}, where no replacement begins"));
        }
        open.extend((1..=255).map(|byte| base ^ byte).filter(|&next| units[next] & LABEL == (next ^ base) as u32));
    }
    Ok(())
}

/// Whether what leads to this unit has a replacement.
fn is_end(unit: u32) -> bool {
    (unit >> 8) & 1 == 1
}

fn offset(unit: u32) -> usize {
    let unit = unit as usize;
    (unit >> 10) << ((unit & (1 << 9)) >> 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_that_leads_out_of_bounds_is_refused() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "it is shorter than its own header"),
            (b"\x00\x00\x00\x00", "it says that 0 bytes of its 4 are a trie"),
            (b"\x08\x00\x00\x00abcd", "it says that 8 bytes of its 8 are a trie"),
            (b"\x03\x00\x00\x00abc", "it says that 3 bytes of its 7 are a trie"),
            (b"\xFF\xFF\xFF\xFFabcd", "it says that 4294967295 bytes of its 8 are a trie"),
            (b"\x04\x00\x00\x00\x00\x00\x00\x00", "unit 0 of its trie leads to unit 255, but there are 1"),
        ];
        for (map, expected) in cases {
            assert_eq!(refusal(map), Some(expected.to_owned()), "{map:?}");
        }
        let empty = vec![0; 256];
        assert_eq!(refusal(&map(&empty, b"")), None);
        assert_eq!(refusal(&map(&empty, b"\xFF")), Some("its replacements are not UTF-8".to_owned()));
        let longest = [b"b\0", &[b'a'; LONGEST_REPLACEMENT_BYTES][..]].concat();
        assert_eq!(refusal(&map(&empty, &longest)), None);
        let longer = [&longest[..], b"a"].concat();
        assert_eq!(refusal(&map(&empty, &longer)), Some("a replacement of 4097 bytes; at most 4096 are accepted".to_owned()));
    }

    #[test]
    fn a_trie_that_leads_into_itself_is_followed_no_further_than_a_key_can_be() {
        let (a, mut units) = (u32::from(b'a'), vec![0; 256]);
        // By every "a" it leads to the unit where it is already, and any number of them is replaced by what stands first.
        units[usize::from(b'a')] = a << 10 | 1 << 8 | a;
        let looping = CharsMap::read(&map(&units, b"b\0")).unwrap();
        assert_eq!(looping.longest("aac"), Some((2, "b")));
        assert_eq!(looping.longest(&"a".repeat(100_000)), Some((LONGEST_KEY_BYTES, "b")));
    }

    fn map(units: &[u32], texts: &[u8]) -> Vec<u8> {
        let trie = units.iter().flat_map(|unit| unit.to_le_bytes());
        (4 * units.len() as u32).to_le_bytes().into_iter().chain(trie).chain(texts.iter().copied()).collect()
    }

    fn refusal(map: &[u8]) -> Option<String> {
        CharsMap::read(map).err()
    }
}
