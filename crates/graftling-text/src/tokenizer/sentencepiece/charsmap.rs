//! The map of characters of a SentencePiece model: checked before anything trusts it, for a damaged one would lead out of bounds on some
//! text; and read as sentencepiece itself reads it. Knows nothing of the model around it.

/// A checked map (Darts' layout, as sentencepiece's normalizer writes it).
pub(in crate::tokenizer) struct CharsMap {
    /// The units of the trie.
    units: Vec<u32>,
    /// All replacements, each ended by a zero byte.
    texts: String,
}

impl CharsMap {
    /// Checks the bytes of a map and takes them.
    pub fn read(map: &[u8]) -> Result<CharsMap, String> {
        check(map)?;
        let (units, texts) = parts(map)?;
        Ok(CharsMap { units, texts: texts.to_owned() })
    }

    /// The longest beginning of a text that is replaced: how many bytes it has, and what stands for it.
    pub fn longest(&self, text: &str) -> Option<(usize, &str)> {
        let mut found = None;
        let mut place = offset(self.units[0]);
        for (index, &byte) in text.as_bytes().iter().enumerate() {
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

/// The bits of a unit that say by which byte it is reached; the highest marks a value.
const LABEL: u32 = 0x8000_00FF;
/// The bits of a unit that are a value.
const VALUE: u32 = 0x7FFF_FFFF;

/// Walks the whole double-array trie (Darts' layout, as sentencepiece's normalizer writes it): every state must lead to units that
/// are there, and every value to the beginning of a text that is there.
pub(super) fn check(map: &[u8]) -> Result<(), String> {
    let (units, texts) = parts(map)?;
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

/// The units of the trie, and the replacements.
fn parts(map: &[u8]) -> Result<(Vec<u32>, &str), String> {
    let Some((length, rest)) = map.split_first_chunk::<4>() else { return Err("it is shorter than its own header".to_owned()) };
    let trie_bytes = u32::from_le_bytes(*length) as usize;
    let Some((trie, texts)) = rest.split_at_checked(trie_bytes).filter(|_| trie_bytes.is_multiple_of(4) && trie_bytes > 0) else {
        return Err(format!("it says that {trie_bytes} bytes of its {} are a trie", map.len()));
    };
    let units: Vec<u32> = trie.chunks_exact(4).map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]])).collect();
    let texts = std::str::from_utf8(texts).map_err(|_| "its replacements are not UTF-8".to_owned())?;
    Ok((units, texts))
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
            assert_eq!(check(map), Err(expected.to_owned()), "{map:?}");
        }
        let mut empty = 1024u32.to_le_bytes().to_vec();
        empty.extend([0; 1024]);
        assert_eq!(check(&empty), Ok(()));
        empty.push(0xFF);
        assert_eq!(check(&empty), Err("its replacements are not UTF-8".to_owned()));
    }
}
