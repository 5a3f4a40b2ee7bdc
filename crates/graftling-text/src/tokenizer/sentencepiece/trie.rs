//! Texts that are looked up by their beginnings, byte by byte. Knows nothing of what they mean.

/// A node of the trie has no text of its own.
const NONE: u32 = u32::MAX;

/// All nodes, level by level, so that the children of a node follow each other.
pub(super) struct Trie {
    /// Where the children of each node begin; they end where those of the next begin.
    children: Vec<u32>,
    /// The byte that leads to each node.
    labels: Vec<u8>,
    /// The number of the text that ends at each node.
    values: Vec<u32>,
}

impl Trie {
    /// Of texts and their numbers; of equal texts the first counts.
    pub fn new<'a>(texts: impl Iterator<Item = (&'a str, u32)>) -> Trie {
        let mut sorted: Vec<(&[u8], u32)> = texts.map(|(text, number)| (text.as_bytes(), number)).collect();
        sorted.sort();
        sorted.dedup_by(|next, first| next.0 == first.0);
        let mut trie = Trie { children: Vec::new(), labels: vec![0], values: vec![NONE] };
        // The texts below each node, and how many bytes lead to it.
        let mut below = vec![(0..sorted.len(), 0)];
        let mut node = 0;
        while let Some((mut texts, depth)) = below.get(node).cloned() {
            trie.children.push(below.len() as u32);
            if let Some((text, number)) = sorted[texts.clone()].first()
                && text.len() == depth
            {
                trie.values[node] = *number;
                texts.start += 1;
            }
            while let Some((text, _)) = sorted[texts.clone()].first() {
                let label = text[depth];
                let same = sorted[texts.clone()].partition_point(|(other, _)| other[depth] == label);
                trie.labels.push(label);
                trie.values.push(NONE);
                below.push((texts.start..texts.start + same, depth + 1));
                texts.start += same;
            }
            node += 1;
        }
        trie.children.push(below.len() as u32);
        trie
    }

    /// Every text that `bytes` begins with, the shortest first: how long it is, and its number.
    pub fn beginnings<'t>(&'t self, bytes: &'t [u8]) -> impl Iterator<Item = (usize, u32)> + 't {
        let steps = bytes.iter().scan(0usize, |node, byte| {
            let (from, to) = (self.children[*node] as usize, self.children[*node + 1] as usize);
            *node = from + self.labels[from..to].binary_search(byte).ok()?;
            Some(self.values[*node])
        });
        steps.enumerate().filter(|(_, value)| *value != NONE).map(|(index, value)| (index + 1, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_texts_that_begin_another_are_found() {
        let texts = ["b", "abc", "a", "ab", "日本", "日", "a", "xyz"];
        let trie = Trie::new(texts.iter().copied().zip(0..));
        let found = |text: &'static str| trie.beginnings(text.as_bytes()).collect::<Vec<_>>();
        assert_eq!(found("abcd"), [(1, 2), (2, 3), (3, 1)]);
        assert_eq!(found("日本語"), [(3, 5), (6, 4)]);
        assert_eq!(found("xy"), []);
        assert_eq!(found(""), []);
        assert_eq!(found("c"), []);
        assert_eq!(Trie::new(std::iter::empty()).beginnings(b"a").count(), 0);
    }
}
