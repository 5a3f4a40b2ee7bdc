//! The reversible table between a family's weight names on disk and our own dotted names. Knows no family and no shape.

/// One module under both names; `{}` stands for the number of a layer.
pub(crate) struct Module {
    pub canonical: &'static str,
    pub stored: &'static str,
}

/// Weights that a file may hold although the model has no use for them, with the reason.
pub(crate) struct Ignored {
    pub pattern: Pattern,
    pub reason: &'static str,
}

/// Which stored names are meant, without the backbone's prefix.
pub(crate) enum Pattern {
    Exactly(&'static str),
    StartsWith(&'static str),
}

/// The names of a family.
pub(crate) struct NameTable {
    /// What stands before the names of the backbone in a checkpoint with a head, and is missing in one of the backbone alone.
    pub backbone_prefix: &'static str,
    pub modules: &'static [Module],
    pub ignored: &'static [Ignored],
}

/// The last part of a weight's name on disk, and ours. Checkpoints converted from TensorFlow call a norm's values gamma and beta.
const LEAVES: &[(&str, &str)] = &[("weight", "weight"), ("bias", "bias"), ("gamma", "weight"), ("beta", "bias")];

impl NameTable {
    /// The name on disk of one of our parameters.
    ///
    /// # Panics
    /// If the family's table has no such module: the bricks and the table have drifted apart.
    pub fn stored(&self, canonical: &str) -> String {
        let (module, leaf) = canonical.rsplit_once('.').unwrap_or((canonical, ""));
        let stored = self.modules.iter().find_map(|entry| rename(module, entry.canonical, entry.stored));
        let stored = stored.unwrap_or_else(|| panic!("names: no entry for the parameter {canonical}"));
        format!("{stored}.{leaf}")
    }

    /// Our name of a weight on disk, with or without the backbone's prefix, if the table has it.
    pub fn canonical(&self, stored: &str) -> Option<String> {
        let (module, leaf) = stored.rsplit_once('.')?;
        let (_, leaf) = LEAVES.iter().find(|(known, _)| *known == leaf)?;
        let module = self.modules.iter().find_map(|entry| {
            let bare = entry.stored.strip_prefix(self.backbone_prefix);
            rename(module, entry.stored, entry.canonical).or_else(|| rename(module, bare?, entry.canonical))
        })?;
        Some(format!("{module}.{leaf}"))
    }

    /// Why a file may hold this weight although the model has no use for it, if it may.
    pub fn reason_to_ignore(&self, stored: &str) -> Option<&'static str> {
        let bare = stored.strip_prefix(self.backbone_prefix).unwrap_or(stored);
        let entry = self.ignored.iter().find(|entry| match entry.pattern {
            Pattern::Exactly(name) => bare == name,
            Pattern::StartsWith(start) => bare.starts_with(start),
        })?;
        Some(entry.reason)
    }
}

/// `name` under the pattern `to` if it fits the pattern `from`.
fn rename(name: &str, from: &str, to: &str) -> Option<String> {
    let Some((start, end)) = from.split_once("{}") else { return (name == from).then(|| to.to_owned()) };
    let number = name.strip_prefix(start)?.strip_suffix(end)?;
    // Only the one way to write a number, so that no two stored names mean the same layer.
    let plain = number.parse::<u32>().is_ok_and(|parsed| parsed.to_string() == number);
    plain.then(|| to.replace("{}", number))
}
