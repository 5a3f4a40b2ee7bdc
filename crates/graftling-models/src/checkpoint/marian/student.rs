//! The settings of a student (Transformer encoder, SSRU decoder) in the keys of the family marian-ssru. What would make another model of it is refused; what
//! counts for training alone, or for other kinds of models, is passed over. Knows no weight's value.

use serde_json::{Map, Value, json};

use super::item::Item;
use crate::error::ConfigProblem;
use crate::families::config_reader::{ConfigReader, LARGEST_TABLE, LARGEST_WIDTH, MOST_LAYERS};

/// The table of embeddings of both languages, or that of each.
const TABLE: &str = "Wemb";
const TABLES: [&str; 2] = ["encoder_Wemb", "decoder_Wemb"];
/// No layer has fewer tensors, even where some are missing.
const FEWEST_TENSORS: usize = 5;

/// Keys that say nothing of a student, with what they are for.
const PASSED_OVER: [&str; 24] = [
    // BERT, recurrent models, average attention.
    "bert-train-type-embeddings",
    "bert-type-vocab-size",
    "best-deep",
    "dec-cell-base-depth",
    "dec-cell-high-depth",
    "dim-rnn",
    "enc-cell",
    "enc-cell-depth",
    "enc-type",
    "skip",
    "special-vocab",
    "transformer-aan-activation",
    "transformer-aan-depth",
    "transformer-aan-nogate",
    "transformer-dim-aan",
    "ulr-dim-emb",
    "ulr-trainable-transformation",
    // How weights are drawn, and what alignments are taken from.
    "transformer-depth-scaling",
    "transformer-guided-alignment-layer",
    // Read by name.
    "dim-vocabs",
    "tied-embeddings",
    "tied-embeddings-all",
    "tied-embeddings-src",
    "version",
];

/// What a student is.
pub(super) struct Student {
    /// `config.json`, but for the ids of tokens and the type of the weights.
    pub config: Map<String, Value>,
    pub encoder_layers: usize,
    pub decoder_layers: usize,
    pub vocabulary_size: usize,
    /// How many embeddings the texts that are written have, where they have a table of their own.
    pub written_vocabulary_size: Option<usize>,
    pub notices: Vec<String>,
}

/// What the settings of a file say, or everything that is wrong with them.
pub(super) fn translate(settings: &Map<String, Value>, tensors: &[&Item<'_>]) -> Result<Student, Vec<ConfigProblem>> {
    let mut keys = Keys { reader: ConfigReader::new(settings), settings, asked_for: PASSED_OVER.to_vec() };
    keys.needed("type", "transformer");
    keys.needed("dec-cell", "ssru");
    keys.needed("transformer-decoder-autoreg", "rnn");
    keys.operations("transformer-preprocess", "");
    keys.operations("transformer-postprocess", "an");
    keys.operations("transformer-postprocess-emb", "");
    keys.operations("transformer-postprocess-top", "");
    for off in [
        "layer-normalization",
        "output-omit-bias",
        "right-left",
        "transformer-no-projection",
        "transformer-pool",
        "transformer-rnn-projection",
        "transformer-train-position-embeddings",
        "transformer-train-positions",
        "ulr",
    ] {
        keys.only(off, false);
    }
    keys.only("transformer-tied-layers", Value::Array(Vec::new()));
    keys.only("transformer-ffn-depth", 2);
    keys.none_or("transformer-decoder-ffn-depth", 2);
    // Of vocabularies whose entries are made of several factors.
    keys.only("lemma-dim-emb", 0);
    keys.only("lemma-dependency", "");
    keys.only("factors-dim-emb", 0);
    keys.only("factors-combine", "sum");
    keys.input_types();
    let width = keys.size("dim-emb", LARGEST_WIDTH);
    if !keys.reader.refused("dim-emb") && !width.is_multiple_of(2) {
        keys.reader.refuse("dim-emb", width, "even numbers");
    }
    keys.only("transformer-dim-model", width);
    let heads = keys.size("transformer-heads", LARGEST_WIDTH);
    keys.reader.multiple(("dim-emb", width), ("transformer-heads", heads));
    let inner = keys.size("transformer-dim-ffn", LARGEST_WIDTH);
    let decoder_inner = keys.size_or("transformer-decoder-dim-ffn", inner);
    let [encoder_layers, decoder_layers] = ["enc-depth", "dec-depth"].map(|key| keys.layers(key, tensors.len()));
    let activation = keys.activation();
    let has_one_table = keys.has_one_table();
    let [vocabulary_size, written] = keys.vocabularies(tensors, has_one_table);
    let notices = keys.notices();
    keys.reader.finish()?;
    let config = json!({
        "architectures": ["MarianSSRU"],
        "model_type": "marian-ssru",
        "vocab_size": vocabulary_size,
        "decoder_vocab_size": written,
        "d_model": width,
        "encoder_layers": encoder_layers,
        "decoder_layers": decoder_layers,
        "encoder_attention_heads": heads,
        "decoder_attention_heads": heads,
        "encoder_ffn_dim": inner,
        "decoder_ffn_dim": decoder_inner,
        "activation_function": activation,
        // The constant of `layerNorm` in `layers/generic.cpp`.
        "layer_norm_eps": 1e-6,
        "norm": "post",
        "scale_embedding": true,
        "position": "sinusoidal (sin half, cos half)",
        "tie_embeddings": if has_one_table { "all" } else { "target" },
        "share_encoder_decoder_embeddings": has_one_table,
        "decoder_autoreg": "ssru",
        "decoder_start": "zero embedding",
        "pad_token_id": null,
    });
    let Value::Object(config) = config else { unreachable!("an object is written above") };
    let written_vocabulary_size = (!has_one_table).then_some(written);
    Ok(Student { config, encoder_layers, decoder_layers, vocabulary_size, written_vocabulary_size, notices })
}

/// The settings as they are read, all problems together.
struct Keys<'a> {
    reader: ConfigReader<'a>,
    settings: &'a Map<String, Value>,
    asked_for: Vec<&'static str>,
}

impl Keys<'_> {
    /// A word that has to be there.
    fn needed(&mut self, key: &'static str, accepted: &str) {
        if self.reader.says(key) {
            self.only(key, accepted);
        } else {
            self.absent(key, format!("only {accepted:?}"));
        }
    }

    fn absent(&mut self, key: &'static str, accepted: String) {
        self.asked_for.push(key);
        self.reader.refuse(key, "absent", accepted);
    }

    fn only(&mut self, key: &'static str, accepted: impl Into<Value>) {
        self.asked_for.push(key);
        self.reader.only(key, accepted);
    }

    /// A size of the decoder, for which 0 is that of the encoder, `accepted` alone.
    fn none_or(&mut self, key: &'static str, accepted: usize) {
        let found = self.size_or(key, accepted);
        if found != accepted {
            self.reader.refuse(key, found, format!("0, {accepted}"));
        }
    }

    fn size(&mut self, key: &'static str, largest: usize) -> usize {
        self.asked_for.push(key);
        self.reader.needed_size(key, largest)
    }

    /// A size of the decoder, for which 0 is that of the encoder.
    fn size_or(&mut self, key: &'static str, of_encoder: usize) -> usize {
        self.asked_for.push(key);
        match self.reader.count(key, 0, LARGEST_WIDTH) {
            0 => of_encoder,
            own => own,
        }
    }

    /// A number of layers that so many tensors can make.
    fn layers(&mut self, key: &'static str, tensors: usize) -> usize {
        let layers = self.size(key, MOST_LAYERS);
        let most = (tensors / FEWEST_TENSORS).max(1);
        if layers > most {
            self.reader.refuse(key, layers, format!("at most {most}, for the file has {tensors} tensors"));
            return 1;
        }
        layers
    }

    /// What is done to vectors before or behind a part of a layer, a letter each: `a` adds what was before, `n` normalises. `d`, dropout, counts for
    /// training alone.
    fn operations(&mut self, key: &'static str, accepted: &str) {
        self.asked_for.push(key);
        let said = match self.settings.get(key) {
            // The defaults of Marian.
            None | Some(Value::Null) => Some(accepted),
            Some(Value::String(said)) => Some(said.as_str()),
            Some(_) => None,
        };
        if said.is_none_or(|said| said.replace('d', "") != accepted) {
            let shown = if accepted.is_empty() { "\"\", \"d\"".to_owned() } else { format!("\"{accepted}\", \"d{accepted}\"") };
            self.reader.refuse(key, &self.settings[key], shown);
        }
    }

    /// What the columns of the training data were: a class is read in another way than words are.
    fn input_types(&mut self) {
        let key = "input-types";
        self.asked_for.push(key);
        self.reader.words(key, ["sequence", "alignment", "weight"]);
    }

    /// Marian's `gelu` is x times the sigmoid of 1.702 x, which is offered by no other name.
    fn activation(&mut self) -> &'static str {
        let key = "transformer-ffn-activation";
        if !self.reader.says(key) {
            self.absent(key, "relu, swish".to_owned());
            return "relu";
        }
        self.asked_for.push(key);
        self.reader.word(key, "relu", &[("relu", "relu"), ("swish", "silu")])
    }

    /// Whether both languages and the output have one table, in either way to say so, or else the target and the output.
    fn has_one_table(&mut self) -> bool {
        let [all, output, source] =
            ["tied-embeddings-all", "tied-embeddings", "tied-embeddings-src"].map(|key| self.reader.switch(key, false));
        if !all && !output && !self.reader.refused("tied-embeddings-all") && !self.reader.refused("tied-embeddings") {
            let accepted = "true, for both languages and the output to have one table of embeddings, or tied-embeddings: true, for the target and \
                            the output";
            self.reader.refuse("tied-embeddings-all", all, accepted);
        }
        all || source
    }

    /// How many entries the vocabularies have: what is said for each language, or the rows of the tables where nothing or 0 is said.
    fn vocabularies(&mut self, tensors: &[&Item<'_>], is_one: bool) -> [usize; 2] {
        let key = "dim-vocabs";
        let tables = if is_one { [TABLE; 2] } else { TABLES };
        let rows = tables.map(|name| tensors.iter().find(|item| item.name == name).map_or(1, |item| item.shape[0]));
        let sizes: Option<Vec<usize>> = match self.settings.get(key) {
            None | Some(Value::Null) => Some(Vec::new()),
            Some(Value::Array(sizes)) => sizes.iter().map(|size| usize::try_from(size.as_u64()?).ok()).collect(),
            Some(_) => None,
        };
        let said = match sizes.as_deref() {
            Some([] | [0, 0]) => Some(rows),
            Some([source, target]) => Some([*source, *target]),
            _ => None,
        };
        let fits =
            |sizes: &[usize; 2]| sizes.iter().all(|size| (1..=LARGEST_TABLE).contains(size)) && !(is_one && sizes[0] != sizes[1]);
        said.filter(fits).unwrap_or_else(|| {
            let accepted = if is_one { "twice the same whole number" } else { "two whole numbers" };
            let found = self.settings.get(key).unwrap_or(&Value::Null);
            self.reader.refuse(key, found, format!("{accepted} from 1 to {LARGEST_TABLE}"));
            [1; 2]
        })
    }

    /// The keys that nobody asked for.
    fn notices(&self) -> Vec<String> {
        let unread: Vec<&str> = self.settings.keys().map(String::as_str).filter(|key| !self.asked_for.contains(key)).collect();
        if unread.is_empty() {
            return Vec::new();
        }
        vec![format!("keys of special:model.yml that nothing was made of: {}", unread.join(", "))]
    }
}
