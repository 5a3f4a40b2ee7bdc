//! Recipes as people write them: what is read, what is refused, and the way back to a file.

use super::*;

const SMALLEST: &str = "model = 'minilm'\ntrain = 'reviews.csv'\noutput = 'run'\n";

fn check(toml: &str) -> Result<Recipe, RecipeErrors> {
    Recipe::check(RecipeFile::from_toml(toml)?)
}

fn with_flags(flags: &[(&str, &str)]) -> Result<Recipe, RecipeErrors> {
    let mut typed = RecipeFile::default();
    flags.iter().for_each(|(name, text)| typed.set(name, text));
    Recipe::check(RecipeFile::from_toml(SMALLEST)?.merge(typed))
}

#[test]
fn what_is_not_given_has_its_default() {
    let recipe = check(SMALLEST).expect("the smallest recipe");
    assert_eq!((recipe.model.as_str(), recipe.seed, recipe.epochs, recipe.batch_size), ("minilm", 42, 3.0, 32));
    assert_eq!((recipe.learning_rate, recipe.beta2, recipe.epsilon, recipe.weight_decay), (None, 0.999, 1e-8, 0.0));
    assert_eq!((recipe.optimizer, recipe.schedule), (OptimizerChoice::AdamW, ScheduleKind::Linear));
    assert_eq!((recipe.warmup, recipe.evaluate_every), (Warmup::Fraction(0.1), EvaluateEvery::Epoch));
    assert_eq!((recipe.max_grad_norm, recipe.max_length, recipe.threads, recipe.dropout), (Some(1.0), None, None, None));
    assert_eq!((recipe.validation, recipe.text_column, recipe.format), (None, None, None));
    assert!(recipe.freeze.is_empty() && recipe.bias_correction && !recipe.nesterov);
}

#[test]
fn flags_and_files_read_the_same_values() {
    struct Case {
        toml: &'static str,
        flags: &'static [(&'static str, &'static str)],
        holds: fn(&Recipe) -> bool,
    }
    let cases = [
        Case {
            toml: "learning_rate = 1e-4",
            flags: &[("learning-rate", "1e-4")],
            holds: |recipe| recipe.learning_rate == Some(1e-4),
        },
        Case { toml: "epochs = 2", flags: &[("epochs", "2.0")], holds: |recipe| recipe.epochs == 2.0 },
        Case { toml: "warmup = 0.06", flags: &[("warmup", "0.06")], holds: |recipe| recipe.warmup == Warmup::Fraction(0.06) },
        Case { toml: "warmup = 100", flags: &[("warmup", "100")], holds: |recipe| recipe.warmup == Warmup::Steps(100) },
        Case { toml: "warmup = 0", flags: &[("warmup", "0")], holds: |recipe| recipe.warmup.steps(10) == 0 },
        Case {
            toml: "max_grad_norm = 'none'",
            flags: &[("max-grad-norm", "none")],
            holds: |recipe| recipe.max_grad_norm.is_none(),
        },
        Case { toml: "max_length = 128", flags: &[("max-length", "128")], holds: |recipe| recipe.max_length == Some(128) },
        Case {
            toml: "evaluate_every = 500",
            flags: &[("evaluate_every", "500")],
            holds: |recipe| recipe.evaluate_every == EvaluateEvery::Steps(500),
        },
        Case {
            toml: "freeze = ['bert.embeddings.*', '*.0.*']",
            flags: &[("freeze", "bert.embeddings.*"), ("freeze", "*.0.*")],
            holds: |recipe| recipe.freeze == ["bert.embeddings.*", "*.0.*"],
        },
        Case {
            toml: "optimizer = 'momentum'\nmomentum_form = 'averaged'\nnesterov = true",
            flags: &[("optimizer", "momentum"), ("momentum-form", "averaged"), ("nesterov", "true")],
            holds: |recipe| recipe.nesterov && recipe.momentum_form == MomentumForm::Averaged,
        },
        Case {
            toml: "format = 'jsonl'\nmetric_for_best_model = 'f1_macro'",
            flags: &[("format", "jsonl"), ("metric-for-best-model", "f1_macro")],
            holds: |recipe| recipe.format == Some(DataFormat::Jsonl) && recipe.metric_for_best_model == Some(BestMetric::F1Macro),
        },
        Case {
            toml: "label_column = '标签'",
            flags: &[("label-column", "标签")],
            holds: |recipe| recipe.label_column.as_deref() == Some("标签"),
        },
    ];
    for Case { toml, flags, holds } in cases {
        let from_file = check(&format!("{SMALLEST}{toml}")).unwrap_or_else(|error| panic!("{toml}: {error}"));
        let from_flags = with_flags(flags).unwrap_or_else(|error| panic!("{flags:?}: {error}"));
        assert!(holds(&from_file), "{toml}: {from_file:?}");
        assert_eq!(from_file, from_flags, "{toml}");
    }
}

#[test]
fn a_flag_stands_over_the_file() {
    let file = RecipeFile::from_toml(&format!("{SMALLEST}epochs = 2\nfreeze = ['a']\nearly_stopping = 3")).expect("TOML");
    let mut flags = RecipeFile::default();
    [("epochs", "5"), ("epochs", "6"), ("freeze", "b"), ("early-stopping", "none")]
        .iter()
        .for_each(|(name, text)| flags.set(name, text));
    let recipe = Recipe::check(file.merge(flags)).expect("a recipe");
    assert_eq!((recipe.epochs, recipe.freeze, recipe.early_stopping), (6.0, vec!["b".to_owned()], None));
}

#[test]
fn a_flag_stands_over_what_says_the_same_otherwise_in_the_file() {
    let read = |toml: &str, name: &str, text: &str| {
        let mut flags = RecipeFile::default();
        flags.set(name, text);
        Recipe::check(RecipeFile::from_toml(&format!("{SMALLEST}{toml}")).expect("TOML").merge(flags)).expect("a recipe")
    };
    assert_eq!(read("epochs = 2", "max-steps", "7").max_steps, Some(7));
    let by_epochs = read("max_steps = 7", "epochs", "2");
    assert_eq!((by_epochs.max_steps, by_epochs.epochs), (None, 2.0));
    assert_eq!(read("batch_size = 8", "batch-tokens", "900").batch_tokens, Some(900));
    assert_eq!(read("batch_tokens = 900", "batch-size", "8").batch_tokens, None);
    assert_eq!(read("validation_fraction = 0.2", "validation", "v.csv").validation, Some("v.csv".into()));
}

#[test]
fn every_complaint_comes_at_once_with_its_place() {
    let file = "learning_rat = 1e-4\nepochs = -1\noptimizer = 'adamW'\nseed = 1.5\n\
                batch_size = '32'\nbeta1 = 1\nlora = { r = 8 }\nwarmup = 1.0\n";
    let mut flags = RecipeFile::default();
    [("model", "minilm"), ("output", ""), ("nesterov", "yes"), ("max_grad_norm", "0"), ("strategy", "head-only")]
        .iter()
        .for_each(|(name, text)| flags.set(name, text));
    let errors = Recipe::check(RecipeFile::from_toml(file).expect("TOML").merge(flags)).expect_err("much is wrong");
    let expected = [
        "recipe.toml:1: unknown option \"learning_rat\" (did you mean \"learning_rate\"?)",
        "recipe.toml:2: epochs: found -1, accepted is a number above 0 and at most 10000",
        "recipe.toml:3: optimizer: found \"adamW\", accepted is adamw, adam, momentum, gradient_descent (did you mean \"adamw\"?)",
        "recipe.toml:4: seed: found 1.5, accepted is a whole number from 0 to 4294967295",
        "recipe.toml:5: batch_size: found \"32\", accepted is a whole number from 1 to 1048576",
        "recipe.toml:6: beta1: found 1, accepted is a number from 0 and below 1",
        "recipe.toml:7: unknown option \"lora\"",
        "recipe.toml:8: warmup: found 1.0, accepted is a share of all steps, from 0 and below 1, or a whole number of steps up to 1000000000",
        "--output: found \"\", accepted is a path",
        "--nesterov: found \"yes\", accepted is true or false",
        "--max-grad-norm: found \"0\", accepted is none, or a number above 0 and at most 1000000000",
        "--strategy: found \"head-only\", accepted is full, head_only (did you mean \"head_only\"?)",
        "train is not given: give --train FILE, or train = ... in recipe.toml",
    ];
    assert_eq!(errors.to_string().lines().collect::<Vec<_>>(), expected);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let cases = [
        ("nesterov = true", "nesterov = true does not go with optimizer = adamw"),
        ("optimizer = 'momentum'\nmomentum = 0\nnesterov = true", "nesterov = true does not go with recipe.toml:5: momentum = 0"),
        (
            "optimizer = 'gradient_descent'\nbeta1 = 0.8",
            "beta1 = 0.8 does not go with recipe.toml:4: optimizer = \"gradient_descent\"",
        ),
        ("momentum_form = 'averaged'", "momentum_form = \"averaged\" does not go with optimizer = adamw"),
        ("task = 'sequence_regression'\nlabel_smoothing = 0.1", "label_smoothing = 0.1 does not go with recipe.toml:4: task"),
        ("label_smoothing = 0.1\nfocal_gamma = 2", "focal_gamma = 2 does not go with recipe.toml:4: label_smoothing = 0.1"),
        (
            "task = 'token_classification'\nsampling = 'oversample'",
            "sampling = \"oversample\" does not go with recipe.toml:4: task",
        ),
        (
            "sampling = 'oversample'\nhead_bias = 'prior'",
            "head_bias = \"prior\" does not go with recipe.toml:4: sampling = \"oversample\"",
        ),
        (
            "sampling = 'oversample'\nclass_weights = 'balanced'",
            "sampling = \"oversample\" does not go with recipe.toml:5: class_weights = \"balanced\"",
        ),
        ("window_stride = 8", "window_stride = 8 does not go with long_texts = auto"),
        (
            "long_texts = 'windows'\nmax_length = 8\nwindow_stride = 8",
            "window_stride = 8 does not go with recipe.toml:5: max_length = 8",
        ),
        (
            "long_texts = 'windows'\ntask = 'token_classification'\nwindow_pooling = 'max'",
            "window_pooling = \"max\" does not go with recipe.toml:5: task",
        ),
        ("tag_scheme = 'iob1'", "tag_scheme = \"iob1\" does not go with task = sequence_classification"),
        ("max_answer_length = 8", "max_answer_length = 8 does not go with task = sequence_classification"),
        ("null_score_diff_threshold = -1.5", "null_score_diff_threshold = -1.5 does not go with task = sequence_classification"),
        (
            "task = 'token_classification'\ntext_pair_column = 'b'",
            "text_pair_column = \"b\" does not go with recipe.toml:4: task",
        ),
        ("task = 'question_answering'\nhead_bias = 'zero'", "head_bias = \"zero\" does not go with recipe.toml:4: task"),
        ("task = 'sentence_embedding'\nhead_bias = 'zero'", "head_bias = \"zero\" does not go with recipe.toml:4: task"),
        ("task = 'masked_lm'\nn_best_size = 5", "n_best_size = 5 does not go with recipe.toml:4: task"),
        ("task = 'question_answering'\nlong_texts = 'cut'", "long_texts = \"cut\" does not go with recipe.toml:4: task"),
        ("task = 'question_answering'\nwindow_pooling = 'max'", "window_pooling = \"max\" does not go with recipe.toml:4: task"),
        ("task = 'question_answering'\nlabel_smoothing = 0.1", "label_smoothing = 0.1 does not go with recipe.toml:4: task"),
        (
            "task = 'question_answering'\nclass_weights = 'balanced'",
            "class_weights = \"balanced\" does not go with recipe.toml:4: task",
        ),
        (
            "task = 'question_answering'\nsampling = 'oversample'",
            "sampling = \"oversample\" does not go with recipe.toml:4: task",
        ),
        ("task = 'question_answering'\nmask_probability = 0.2", "mask_probability = 0.2 does not go with recipe.toml:4: task"),
        ("strategy = 'head_only'\nfreeze = ['*']", "freeze = [\"*\"] does not go with recipe.toml:4: strategy"),
        ("strategy = 'head_only'\nlayer_decay = 0.9", "layer_decay = 0.9 does not go with recipe.toml:4: strategy"),
        ("epochs = 2\nmax_steps = 10", "epochs = 2 does not go with recipe.toml:5: max_steps = 10"),
        ("batch_size = 8\nbatch_tokens = 1000", "batch_size = 8 does not go with recipe.toml:5: batch_tokens = 1000"),
        (
            "validation = 'v.csv'\nvalidation_fraction = 0.2",
            "validation_fraction = 0.2 does not go with recipe.toml:4: validation",
        ),
        (
            "max_length = 500\nmicro_batch_tokens = 400",
            "micro_batch_tokens = 400 does not go with recipe.toml:4: max_length = 500",
        ),
        ("max_length = 500\nbatch_tokens = 400", "batch_tokens = 400 does not go with recipe.toml:4: max_length = 500"),
    ];
    let mut wrong = Vec::new();
    for (toml, expected) in cases {
        match check(&format!("{SMALLEST}{toml}")) {
            Ok(_) => wrong.push(format!("{toml:?} is accepted")),
            Err(errors) if errors.complaints.len() == 1 && errors.to_string().contains(expected) => {}
            Err(errors) => wrong.push(format!("{toml:?}: {errors}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let errors = check("model = 'run'\ntrain = 'reviews.csv'\noutput = 'run'").expect_err("the model would be overwritten");
    assert!(errors.to_string().contains("write over the model"), "{errors}");
}

#[test]
fn a_word_beside_labels_is_refused() {
    for typed in [["red=0.3", "one"], ["one", "red=0.3"]] {
        let mut file = RecipeFile::from_toml(&format!("{SMALLEST}task = 'multi_label_classification'")).expect("TOML");
        typed.into_iter().for_each(|text| file.set("thresholds", text));
        let told = Recipe::check(file).expect_err("both").to_string();
        assert!(told.contains("--thresholds: found ") && told.contains("accepted is half, one, per_label, or LABEL="), "{told}");
    }
}

#[test]
fn repeating_a_default_contradicts_nothing() {
    check(&format!("{SMALLEST}optimizer = 'gradient_descent'\nbeta1 = 0.9\nnesterov = false\nepochs = 3\nmax_steps = 7"))
        .expect("defaults");
}

#[test]
fn a_file_that_is_not_toml_is_refused_with_its_line() {
    let cases =
        [("model = 'a'\ntrain = \n", "recipe.toml:2: not TOML: "), ("epochs = 1\nepochs = 2", "recipe.toml:2: not TOML: ")];
    for (text, expected) in cases {
        let errors = check(text).expect_err("not TOML");
        assert!(errors.to_string().starts_with(expected), "{errors}");
    }
    let errors = RecipeFile::from_path("no/such/recipe.toml".as_ref()).expect_err("no such file");
    assert!(errors.to_string().starts_with("no/such/recipe.toml: cannot be read: "), "{errors}");
}

#[test]
fn every_default_is_one_its_field_accepts() {
    for field in FIELDS {
        let mut file = RecipeFile::from_toml(SMALLEST).expect("TOML");
        if let FieldDefault::Typed(text) = field.default {
            file.set(field.name, text);
        }
        Recipe::check(file).unwrap_or_else(|error| panic!("{}: {error}", field.name));
    }
}

#[test]
fn every_field_has_a_name_and_help_of_its_own() {
    for (index, one) in FIELDS.iter().enumerate() {
        assert!(FIELDS[..index].iter().all(|other| other.name != one.name && other.help != one.help), "{}", one.name);
        assert!(one.help.ends_with('.') && !one.help.contains('\n'), "{}: {:?}", one.name, one.help);
        assert!(one.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{}", one.name);
        assert_eq!(one.flag(), one.name.replace('_', "-"));
    }
}

/// Numbers that repeat: the generator of Knuth's MMIX.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 9] = ["a", "\"", "\\", "\n", "标", " ", "'", "#", "\u{1}"];
        (0..1 + self.below(5)).map(|_| PIECES[self.below(9) as usize]).collect()
    }

    /// Something the field may or may not accept: from its own words, the ends of its range, and within.
    fn typed(&mut self, field: &Field) -> String {
        if let (Some(word), 0) = (field.kind.word(), self.below(4)) {
            return word.to_owned();
        }
        match field.kind {
            Kind::Text(_) | Kind::Path(_) | Kind::Texts(_) => self.text(),
            Kind::Flag => (self.below(2) == 0).to_string(),
            Kind::Choice { choices, .. } => choices[self.below(choices.len() as u64) as usize].to_owned(),
            Kind::Integer { least, most, .. } => {
                [least, most, least + self.below(most - least)][self.below(3) as usize].to_string()
            }
            Kind::Number { .. } => format!("{}e-{}", self.below(10_000_000), self.below(12)),
            Kind::OfLabels { words, .. } => match words.get(self.below(words.len() as u64 + 1) as usize) {
                Some(word) => (*word).to_owned(),
                None => format!("{}=0.{}", self.text(), 1 + self.below(9)),
            },
            Kind::ShareOrSteps { most } => {
                [format!("0.{}", self.below(1000)), self.below(most).to_string()][self.below(2) as usize].clone()
            }
        }
    }
}

#[test]
fn a_recipe_written_as_toml_reads_back_the_same() {
    let mut random = Random(3);
    let mut seen = 0;
    for round in 0..4_000 {
        let mut file = RecipeFile::from_toml(SMALLEST).expect("TOML");
        for _ in 0..1 + random.below(6) {
            let field = &FIELDS[random.below(FIELDS.len() as u64) as usize];
            file.set(field.name, &random.typed(field));
        }
        let Ok(recipe) = Recipe::check(file) else { continue };
        seen += 1;
        let toml = recipe.to_toml();
        let again = check(&toml).unwrap_or_else(|error| panic!("round {round}: {error}\n{toml}"));
        assert_eq!(again, recipe, "round {round}:\n{toml}");
    }
    assert!(seen > 1_000, "only {seen} recipes were accepted");
}

#[test]
fn a_written_recipe_names_and_explains_every_option() {
    let toml = check(SMALLEST).expect("the smallest recipe").to_toml();
    for field in FIELDS {
        assert!(toml.contains(&format!("# {}\n", field.help)), "{}: no help", field.name);
        let (set, unset) = (format!("\n{} = ", field.name), format!("\n# {} = ", field.name));
        assert!(toml.contains(&set) != toml.contains(&unset), "{}: not exactly once", field.name);
    }
    assert!(toml.contains("\nlearning_rate = \"auto\"\n") && toml.contains("\nmax_steps = \"none\"\n"), "{toml}");
}

#[test]
fn the_reference_has_a_row_for_every_option() {
    let markdown = reference_markdown();
    assert_eq!(markdown.lines().filter(|line| line.starts_with("| `")).count(), FIELDS.len());
    assert!(
        markdown.contains("| `learning_rate` | auto, or a number above 0 and at most 10 | `auto` | The highest learning rate"),
        "{markdown}"
    );
    assert!(Group::ALL.iter().all(|group| markdown.contains(&format!("### {group}\n"))));
}

#[test]
fn a_share_of_warm_up_is_rounded_up() {
    let cases =
        [(Warmup::Fraction(0.1), 30, 3), (Warmup::Fraction(0.1), 31, 4), (Warmup::Fraction(0.0), 9, 0), (Warmup::Steps(5), 9, 5)];
    for (warmup, training_steps, expected) in cases {
        assert_eq!(warmup.steps(training_steps), expected, "{warmup:?} of {training_steps}");
    }
}

#[test]
fn a_figure_that_is_not_a_number_never_improves() {
    assert!(BestMetric::Loss.improves(0.1, 0.2) && !BestMetric::Loss.improves(f64::NAN, 0.2));
    assert!(BestMetric::Accuracy.improves(0.2, 0.1) && !BestMetric::Accuracy.improves(f64::NAN, 0.1));
    assert!(!BestMetric::Accuracy.improves(0.1, 0.1));
    // A correlation may not be defined at first; the checkpoint after which it is must not lose to that.
    assert!(BestMetric::Pearson.improves(-0.1, f64::NAN) && BestMetric::Loss.improves(9.0, f64::NAN));
    assert!(!BestMetric::Pearson.improves(f64::NAN, f64::NAN));
}

#[test]
fn the_guide_lists_every_option_as_it_is() {
    assert!(
        include_str!("../../../../GUIDE.md").contains(&reference_markdown()),
        "GUIDE.md: the table of options is not up to date"
    );
}
