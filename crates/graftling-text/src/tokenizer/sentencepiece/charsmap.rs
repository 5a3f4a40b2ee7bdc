//! Checks the map of characters of a SentencePiece model before the tokenizer library trusts it: a damaged one would lead it out of
//! bounds on some text. Knows nothing of the model around it.

/// Walks the whole double-array trie (Darts' layout, as sentencepiece's normalizer writes it): every state must lead to units that
/// are there, and every value to the beginning of a text that is there.
pub(super) fn check(map: &[u8]) -> Result<(), String> {
    let Some((length, rest)) = map.split_first_chunk::<4>() else { return Err("it is shorter than its own header".to_owned()) };
    let trie_bytes = u32::from_le_bytes(*length) as usize;
    let Some((trie, texts)) = rest.split_at_checked(trie_bytes).filter(|_| trie_bytes.is_multiple_of(4) && trie_bytes > 0) else {
        return Err(format!("it says that {trie_bytes} bytes of its {} are a trie", map.len()));
    };
    let units: Vec<u32> = trie.chunks_exact(4).map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]])).collect();
    let texts = std::str::from_utf8(texts).map_err(|_| "its replacements are not UTF-8".to_owned())?;
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
        let leaf = (units[place] >> 8) & 1 == 1;
        let value = (units[base] & 0x7FFF_FFFF) as usize;
        if leaf && !texts.is_char_boundary(value) {
            return Err(format!("a value of its trie is {value}, where no replacement begins"));
        }
        open.extend((1..=255).map(|byte| base ^ byte).filter(|&next| units[next] & 0x8000_00FF == (next ^ base) as u32));
    }
    Ok(())
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
