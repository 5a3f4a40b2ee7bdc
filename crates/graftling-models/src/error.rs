//! Everything that can be wrong with a checkpoint, with the facts of each case. Knows no way to put it right but says it.

use std::ffi::OsString;
use std::fmt::{self, Display, Formatter};
use std::io;
use std::path::PathBuf;

use crate::checkpoint::gguf::GgufProblem;
use crate::checkpoint::marian::MarianProblem;

/// What went wrong with a model folder.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A file or folder could not be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file could not be written. Nothing is left under its final name but what stood there before.
    #[error("{}: cannot be written ({bytes} bytes are needed): {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// How many bytes it was to hold.
        bytes: u64,
        /// What the system said.
        source: io::Error,
    },
    /// There is no folder with this name.
    #[error("{}: no such folder; a model is a folder with config.json and model.safetensors", path.display())]
    NoFolder {
        /// The folder asked for.
        path: PathBuf,
    },
    /// The folder has no config.
    #[error("{}: no config.json here; a model is a folder with config.json and model.safetensors", folder.display())]
    NoConfig {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has a model file of another program instead of a config and weights.
    #[error(
        "{}: no config.json here, but {}, which is a model in one file; make a model folder of it first: graftling models import {} \
         --output FOLDER",
        folder.display(), file.to_string_lossy(), folder.join(file).display()
    )]
    ToImport {
        /// The folder.
        folder: PathBuf,
        /// The name of the file.
        file: OsString,
    },
    /// A JSON file is larger than any that is honest.
    #[error("{}: {bytes} bytes, but a file of this kind has at most {largest}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The largest size that is read.
        largest: u64,
    },
    /// A JSON file does not hold what it should.
    #[error("{}: not a valid {what}: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        what: &'static str,
        /// Where and how it fails.
        source: serde_json::Error,
    },
    /// The config names a family that is not known here, or none.
    #[error("{}: model_type is {}; known families are {}", path.display(), quoted(found.as_deref()), known.join(", "))]
    UnknownFamily {
        /// The config.
        path: PathBuf,
        /// Its `model_type`.
        found: Option<String>,
        /// The families that are known.
        known: Vec<&'static str>,
    },
    /// The config asks for what is not offered here, or for what cannot be.
    #[error("{}: {}", path.display(), lines(problems, "the config asks for what this program does not offer"))]
    Config {
        /// The config.
        path: PathBuf,
        /// Every value that is refused.
        problems: Vec<ConfigProblem>,
    },
    /// The labels of a classifier are not usable.
    #[error("{}: {problem}", path.display())]
    Labels {
        /// The config, or the folder that labels were given for.
        path: PathBuf,
        /// What is wrong with them.
        problem: LabelProblem,
    },
    /// The checkpoint is of another task.
    #[error("{}: {key} is {found}; a fine-tuned model of this family has one of {accepted}", path.display())]
    OtherTask {
        /// The config.
        path: PathBuf,
        /// The key that says so.
        key: &'static str,
        /// Its value.
        found: String,
        /// What it would have to be.
        accepted: String,
    },
    /// An encoder without a head, of which nobody says how the vectors of its tokens become one.
    #[error(
        "{}: {class} is an encoder without a head, and no modules.json of sentence-transformers says how the vectors of its tokens become \
         that of a text; name it with pooling (mean, cls or max), or give a fine-tuned model",
        path.display()
    )]
    BareEncoder {
        /// The config.
        path: PathBuf,
        /// The class of the checkpoint.
        class: String,
    },
    /// The modules of a folder of sentence-transformers are not those that are offered here.
    #[error("{}: {key} is {found}; accepted is {accepted}", path.display())]
    SentenceModules {
        /// The list of modules, or the config of one.
        path: PathBuf,
        /// What is refused.
        key: &'static str,
        /// What was found.
        found: String,
        /// What would be accepted.
        accepted: &'static str,
    },
    /// The family has no such head.
    #[error("{}: models of the family {family} are not offered as {head}", path.display())]
    HeadNotOffered {
        /// The config.
        path: PathBuf,
        /// The family's `model_type`.
        family: &'static str,
        /// What was asked for.
        head: &'static str,
    },
    /// The folder has no weights.
    #[error("{}: no weights here: neither model.safetensors nor model.safetensors.index.json", folder.display())]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder has weights in a format that can run code when it is opened.
    #[error(
        "{}: {found} is a pickle, which can run code when it is opened, and there is no model.safetensors; convert it where you trust \
         it: python3 -c \"from transformers import AutoModel as M; M.from_pretrained('.').save_pretrained('.')\" in that folder \
         (AutoModelForSequenceClassification for a fine-tuned classifier)",
        folder.display()
    )]
    Pickle {
        /// The folder.
        folder: PathBuf,
        /// The file found.
        found: &'static str,
    },
    /// A safetensors file is cut off or damaged.
    #[error("{}: {problem}; fetch or copy the file again", path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: HeaderProblem,
    },
    /// The weights are not those that the config asks for.
    #[error("{}: {}", path.display(), lines(problems, &format!("the weights do not fit config.json; {fitting} of {expected} do")))]
    Weights {
        /// The file of weights, or the index of several.
        path: PathBuf,
        /// How many parameters found their weight.
        fitting: usize,
        /// How many parameters there are.
        expected: usize,
        /// Every weight that does not fit.
        problems: Vec<WeightProblem>,
    },
    /// A GGUF file is damaged, or of a kind that is not offered.
    #[error("{}: {problem}", path.display())]
    Gguf {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: GgufProblem,
    },
    /// A model file of Marian is damaged, or of a kind that is not offered.
    #[error("{}: {problem}", path.display())]
    Marian {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: MarianProblem,
    },
    /// What a model file of another program says of its model describes none that is offered.
    #[error("{}: {}", path.display(), lines(problems, "its metadata describes no model that can be imported"))]
    Metadata {
        /// The file.
        path: PathBuf,
        /// Every key that is refused.
        problems: Vec<ConfigProblem>,
    },
    /// The tensors of a model file of another program are not those of its architecture.
    #[error("{}: {}", path.display(), lines(problems, "its tensors are not those of its architecture"))]
    Tensors {
        /// The file.
        path: PathBuf,
        /// Every tensor that does not fit.
        problems: Vec<WeightProblem>,
    },
    /// A value that the type to be written cannot hold.
    #[error(
        "{}: the tensor \"{name}\" holds {value}, which {dtype} cannot hold (up to {largest}); choose bf16 or f32",
        path.display()
    )]
    ValueTooLarge {
        /// The file.
        path: PathBuf,
        /// The name of the tensor.
        name: String,
        /// The value.
        value: f32,
        /// What was to be written.
        dtype: &'static str,
        /// The largest number of that type.
        largest: f32,
    },
}

/// A key of a config with a value that is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The key.
    pub key: String,
    /// Its value.
    pub found: String,
    /// What is accepted.
    pub accepted: String,
}

impl Display for ConfigProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is {}; accepted: {}", self.key, self.found, self.accepted)
    }
}

/// What is wrong with the labels of a classifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LabelProblem {
    /// Fewer than the head makes sense with.
    #[error("{count} labels, but a classifier has at least {fewest}")]
    TooFew {
        /// How many there are.
        count: usize,
        /// How few are enough.
        fewest: usize,
    },
    /// The same name for two labels.
    #[error("the label \"{label}\" stands for two classes; give each its own name")]
    Twice {
        /// The name.
        label: String,
    },
    /// `id2label` does not give one name for each id.
    #[error("id2label has {entries} entries but no name for {id}; accepted: one name for each of \"0\", \"1\", ...")]
    Gap {
        /// How many entries there are.
        entries: usize,
        /// The first id without a name.
        id: usize,
    },
    /// `num_labels` without names is not a number of labels.
    #[error("num_labels is {found}; accepted: whole numbers from 2 to {largest}")]
    Count {
        /// Its value.
        found: String,
        /// The most labels that get names by number.
        largest: usize,
    },
}

/// What is wrong with a safetensors file.
#[derive(Debug, thiserror::Error)]
pub enum HeaderProblem {
    /// Not even room for the length of the header.
    #[error("cut off: {bytes} bytes, and a safetensors file has at least 10")]
    TooShort {
        /// The size of the file.
        bytes: usize,
    },
    /// The header does not fit into the file.
    #[error("cut off or damaged: the header is said to be {length} bytes long, the file has {bytes}")]
    HeaderLength {
        /// The length the file states.
        length: u64,
        /// The size of the file.
        bytes: usize,
    },
    /// The header is longer than the format allows.
    #[error("damaged: the header is said to be {length} bytes long, the format allows {largest}")]
    HeaderTooLong {
        /// The length the file states.
        length: u64,
        /// The longest header there can be.
        largest: u64,
    },
    /// The header is not the JSON it should be, or its entries contradict each other.
    #[error("damaged: the header is not valid: {source}")]
    Header {
        /// Where and how it fails.
        source: serde_json::Error,
    },
    /// The weights end before or after the file does.
    #[error("cut off or damaged: the header speaks of {expected} bytes of weights, the file has {found}")]
    DataLength {
        /// What the header says.
        expected: usize,
        /// What follows the header.
        found: usize,
    },
}

/// One weight that does not fit.
#[derive(Clone, Debug, PartialEq)]
pub enum WeightProblem {
    /// The model has this parameter, the file has no weight for it.
    Missing {
        /// The name it would have on disk.
        name: String,
        /// The shape it would have.
        shape: Vec<usize>,
    },
    /// The file has this weight, the model has no parameter for it.
    Unexpected {
        /// Its name on disk.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// The shape is not the one that follows from the config.
    Shape {
        /// Its name on disk.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape that follows from the config.
        expected: Vec<usize>,
    },
    /// The values are not of a kind that is read.
    Dtype {
        /// Its name on disk.
        name: String,
        /// The kind of its values.
        found: String,
    },
    /// Two weights for one parameter.
    Twice {
        /// The one name on disk.
        first: String,
        /// The other.
        second: String,
    },
    /// A value that is not a number, or is infinite.
    NotFinite {
        /// Its name on disk.
        name: String,
        /// The place of the first such value, in row-major order.
        index: usize,
        /// That value.
        value: f32,
    },
    /// The index says that this weight is in a file which does not have it.
    NotInShard {
        /// Its name on disk.
        name: String,
        /// The file.
        file: String,
    },
    /// A file has this weight, but the index does not say so.
    NotInIndex {
        /// Its name on disk.
        name: String,
        /// The file.
        file: String,
    },
    /// The index names a file outside the folder.
    ShardName {
        /// The name of a weight in it.
        name: String,
        /// The file.
        file: String,
    },
}

impl Display for WeightProblem {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { name, shape } => write!(f, "missing weight \"{name}\" (shape {shape:?})"),
            Self::Unexpected { name, shape } => write!(f, "unexpected weight \"{name}\" (shape {shape:?})"),
            Self::Shape { name, found, expected } => {
                write!(f, "weight \"{name}\" has shape {found:?}, but the config asks for {expected:?}")
            }
            Self::Dtype { name, found } => write!(f, "weight \"{name}\" holds {found}; accepted: F32, F16, BF16"),
            Self::Twice { first, second } => write!(f, "weights \"{first}\" and \"{second}\" are for the same parameter"),
            Self::NotFinite { name, index, value } => {
                write!(f, "weight \"{name}\" holds {value} at place {index}; only finite numbers can be used")
            }
            Self::NotInShard { name, file } => write!(f, "weight \"{name}\" is not in {file}, where the index says it is"),
            Self::NotInIndex { name, file } => write!(f, "weight \"{name}\" is in {file}, but the index does not say so"),
            Self::ShardName { name, file } => {
                write!(
                    f,
                    "weight \"{name}\" is said to be in \"{file}\"; accepted: names of .safetensors files in the same folder"
                )
            }
        }
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "missing".to_owned(), |text| format!("\"{text}\""))
}

/// A title, and each problem on a line of its own; one problem alone stands in the title's line.
fn lines(problems: &[impl Display], title: &str) -> String {
    match problems {
        [only] => format!("{title}: {only}"),
        many => many.iter().fold(format!("{title}:"), |text, problem| format!("{text}\n  {problem}")),
    }
}
