//! Metrics against scikit-learn and against a recount; the tables as they look. Golden file: `tools/reference/metrics.py`.

use super::*;
use crate::recipe::BestMetric;

/// scikit-learn's figures are written with nine places.
const TOLERANCE: f64 = 1e-8;

#[derive(serde::Deserialize)]
struct Golden {
    figures: Vec<String>,
    cases: Vec<Vec<serde_json::Value>>,
}

/// The class numbers behind the letters of a golden case.
fn classes_of(letters: &serde_json::Value) -> Vec<usize> {
    letters.as_str().expect("letters").bytes().map(|letter| usize::from(letter - b'0')).collect()
}

fn names(classes: usize) -> Vec<String> {
    (0..classes).map(|class| format!("class {class}")).collect()
}

fn metrics(classes: usize, pairs: &[(usize, usize)]) -> ClassificationMetrics {
    ClassificationMetrics::new(&ConfusionMatrix::from_pairs(classes, pairs.iter().copied()), &names(classes), 0.0)
}

#[test]
fn figures_are_those_of_scikit_learn() {
    let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/metrics.json")).expect("golden file");
    let mut wrong = Vec::new();
    let mut compared = 0;
    for (number, case) in golden.cases.iter().enumerate() {
        let classes = case[0].as_u64().expect("a number of classes") as usize;
        let (truths, predictions) = (classes_of(&case[1]), classes_of(&case[2]));
        let pairs: Vec<(usize, usize)> = truths.into_iter().zip(predictions).collect();
        let metrics = metrics(classes, &pairs);
        let flat = metrics.flat("eval");
        let averaged = golden.figures.iter().map(|figure| flat[&format!("eval_{figure}")].as_f64().expect("a number"));
        let of_classes =
            metrics.classes.iter().flat_map(|class| [class.figures.precision, class.figures.recall, class.figures.f1]);
        let found: Vec<f64> = averaged.chain(of_classes).collect();
        assert_eq!(found.len(), case.len() - 3, "case {number}: figures");
        for (index, (found, expected)) in found.iter().zip(&case[3..]).enumerate() {
            compared += 1;
            if (found - expected.as_f64().expect("a number")).abs() > TOLERANCE {
                let figure = golden.figures.get(index).map_or("of a class", String::as_str);
                wrong.push(format!("case {number}: {figure}: {found}, scikit-learn says {expected}"));
            }
        }
    }
    assert!(golden.cases.len() >= 1000 && compared > 15_000, "only {compared} figures of {} cases", golden.cases.len());
    assert!(wrong.is_empty(), "{} of {compared} figures differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_matrix_has_true_rows_and_predicted_columns() {
    let matrix = ConfusionMatrix::from_pairs(3, [(0, 0), (0, 1), (0, 1), (2, 1)]);
    assert_eq!((matrix.count(0, 1), matrix.count(1, 0), matrix.count(2, 1)), (2, 0, 1));
    assert_eq!((matrix.support(0), matrix.predicted(1), matrix.examples(), matrix.correct()), (3, 3, 4, 1));
    assert_eq!(
        matrix.top_confusions(5),
        [Confusion { truth: 0, predicted: 1, count: 2 }, Confusion { truth: 2, predicted: 1, count: 1 }]
    );
}

#[test]
fn divisions_by_zero_count_as_zero_and_are_counted() {
    // Class 1 is never predicted, class 2 has no example, class 3 is nowhere.
    let metrics = metrics(4, &[(0, 0), (1, 0), (1, 2)]);
    assert_eq!(metrics.zero_divisions, ZeroDivisions { precision: 1, recall: 1, absent: 1 });
    assert_eq!(metrics.macro_.recall, 1.0 / 3.0);
}

#[test]
fn without_examples_every_figure_is_zero() {
    let metrics = metrics(2, &[]);
    assert_eq!((metrics.examples, metrics.loss, metrics.accuracy, metrics.matthews), (0, 0.0, 0.0, 0.0));
    assert_eq!((metrics.macro_, metrics.weighted), (Averages::default(), Averages::default()));
}

#[test]
fn the_loss_is_the_mean_over_examples() {
    let matrix = ConfusionMatrix::from_pairs(2, [(0, 0), (1, 1), (1, 0), (0, 0)]);
    assert_eq!(ClassificationMetrics::new(&matrix, &names(2), 3.0).loss, 0.75);
}

#[test]
fn the_figure_a_recipe_chooses_is_the_one_written_under_its_name() {
    let metrics = metrics(3, &[(0, 0), (0, 1), (1, 1), (1, 1), (2, 0)]);
    let flat = serde_json::to_value(&metrics).expect("metrics as JSON");
    let mut had = 0;
    for metric in BestMetric::ALL.iter().filter(|metric| metrics.value(**metric).is_some()) {
        assert_eq!(flat[format!("eval_{metric}")].as_f64(), metrics.value(*metric), "{metric}");
        had += 1;
    }
    assert_eq!(had, 6);
}

#[test]
fn a_class_is_written_with_its_figures_beside_its_name() {
    let metrics = metrics(2, &[(0, 0), (1, 0)]);
    let written = serde_json::to_string(&metrics.classes[0]).expect("a class as JSON");
    assert_eq!(written, r#"{"label":"class 0","precision":0.5,"recall":1.0,"f1":0.6666666666666666,"support":1,"predicted":2}"#);
}

#[test]
fn tables_line_up_with_wide_characters() {
    let labels = ["正面评价", "negative"].map(str::to_owned);
    let matrix = ConfusionMatrix::from_pairs(2, [(0, 0), (0, 1), (1, 1)].into_iter().cycle().take(36));
    let expected = "true \\ predicted  正面评价  negative\n\
                    正面评价                12        12\n\
                    negative                 0        12\n";
    assert_eq!(matrix.table(&labels, 80), expected);
    let expected = "class     precision  recall      f1  support\n\
                    正面评价     1.0000  0.5000  0.6667       24\n\
                    negative     0.5000  1.0000  0.6667       12\n\
                    \n\
                    macro        0.7500  0.7500  0.6667       36\n\
                    weighted     0.8333  0.6667  0.6667       36\n";
    assert_eq!(ClassificationMetrics::new(&matrix, &labels, 0.0).table(), expected);
}

#[test]
fn names_over_a_matrix_are_cut_before_the_matrix_is_given_up() {
    let labels: Vec<String> = ["alpha", "beta", "gamma"].map(|name| format!("{name} of a rather long name")).to_vec();
    let matrix = ConfusionMatrix::from_pairs(3, [(0, 1), (1, 1), (2, 2)]);
    let heading = |width: usize| matrix.table(&labels, width).lines().next().map(str::to_owned).unwrap_or_default();
    assert!(heading(200).ends_with("gamma of a rather long name"), "{}", heading(200));
    assert!(heading(80).ends_with("alpha of a …  beta of a r…  gamma of a …"), "{}", heading(80));
    assert!(heading(60).ends_with("alpha o…  beta of…  gamma o…"), "{}", heading(60));
    assert_eq!(heading(50), "most frequent mistakes (3 classes)");
}

#[test]
fn names_that_would_look_the_same_are_not_put_over_columns() {
    let labels: Vec<String> = ["x", "y"].map(|end| format!("{}{end}", "long ".repeat(10))).to_vec();
    let matrix = ConfusionMatrix::from_pairs(2, [(0, 0), (1, 1)]);
    assert_eq!(matrix.table(&labels, 200), "2 classes, no mistakes\n");
}

#[test]
fn thousands_of_classes_show_their_most_frequent_mistakes_and_weakest_classes() {
    let labels = names(5000);
    let mut matrix =
        ConfusionMatrix::from_pairs(5000, (0..5000).map(|class| (class, if class < 20 { class + 1 } else { class })));
    (0..3).for_each(|_| matrix.add(7, 4000));
    let table = matrix.table(&labels, 100);
    assert_eq!(table.lines().count(), 13, "{table}");
    assert_eq!(table.lines().nth(2), Some("class 7  class 4000      3       75.0 %"), "{table}");
    assert!(table.ends_with("and 11 more mistakes of 11 kinds\n"), "{table}");
    let table = ClassificationMetrics::new(&matrix, &labels, 0.0).table();
    assert!(table.starts_with("10 of 5000 classes, those with the lowest f1\n"), "{table}");
    assert!(table.lines().nth(2).is_some_and(|line| line.starts_with("class 7 ")), "{table}");
}

#[test]
fn a_name_with_a_line_break_stays_on_its_line() {
    let labels = ["a\nb", "c\td"].map(str::to_owned);
    let table = ConfusionMatrix::from_pairs(2, [(0, 1)]).table(&labels, 80);
    assert_eq!(table.lines().count(), 3, "{table}");
}

/// The numbers of a golden case; null where a figure is not defined.
fn numbers(values: &[serde_json::Value]) -> Vec<Option<f64>> {
    values.iter().map(serde_json::Value::as_f64).collect()
}

fn near(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(found), Some(expected)) => (found - expected).abs() <= TOLERANCE,
        (None, None) => true,
        _ => false,
    }
}

#[test]
fn figures_of_numbers_are_those_of_scikit_learn_and_scipy() {
    #[derive(serde::Deserialize)]
    struct Golden {
        cases: Vec<Vec<serde_json::Value>>,
    }
    let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/regression.json")).expect("golden file");
    let mut wrong = Vec::new();
    for (number, case) in golden.cases.iter().enumerate() {
        let outputs = case[0].as_u64().expect("a number of outputs") as usize;
        let values = |value: &serde_json::Value| -> Vec<f32> { serde_json::from_value(value.clone()).expect("numbers") };
        let metrics = RegressionMetrics::new(&values(&case[1]), &values(&case[2]), outputs, 0.0);
        for ((name, found), expected) in metrics.mean.named().into_iter().zip(numbers(&case[3..])) {
            if !near(found, expected) {
                wrong.push(format!("case {number}: {name}: {found:?}, the reference says {expected:?}"));
            }
        }
    }
    assert!(golden.cases.len() >= 1000);
    assert!(wrong.is_empty(), "{} figures differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn figures_of_several_labels_are_those_of_scikit_learn() {
    let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/multi_label.json")).expect("golden file");
    let mut wrong = Vec::new();
    for (number, case) in golden.cases.iter().enumerate() {
        let labels = case[0].as_u64().expect("a number of labels") as usize;
        let holds = |value: &serde_json::Value| -> Vec<bool> { classes_of(value).into_iter().map(|value| value == 1).collect() };
        let metrics = MultiLabelMetrics::new(&names(labels), &holds(&case[1]), &holds(&case[2]), 0.0);
        let flat = metrics.flat("eval");
        let averaged = golden.figures.iter().map(|figure| flat[&format!("eval_{figure}")].as_f64());
        let of_labels =
            metrics.labels.iter().flat_map(|label| [label.figures.precision, label.figures.recall, label.figures.f1].map(Some));
        let found: Vec<Option<f64>> = averaged.chain(of_labels).collect();
        assert_eq!(found.len(), case.len() - 3, "case {number}: figures");
        for (index, (found, expected)) in found.into_iter().zip(numbers(&case[3..])).enumerate() {
            if !near(found, expected) {
                let figure = golden.figures.get(index).map_or("of a label", String::as_str);
                wrong.push(format!("case {number}: {figure}: {found:?}, scikit-learn says {expected:?}"));
            }
        }
    }
    assert!(golden.cases.len() >= 1000);
    assert!(wrong.is_empty(), "{} figures differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn figures_of_entities_are_those_of_seqeval_in_both_modes() {
    #[derive(serde::Deserialize)]
    struct Golden {
        cases: Vec<Vec<serde_json::Value>>,
    }
    let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/entities.json")).expect("golden file");
    let schemes = [Scheme::Iob1, Scheme::Iob2, Scheme::Ioe2, Scheme::Iobes, Scheme::Bilou];
    let mut wrong = Vec::new();
    for (number, case) in golden.cases.iter().enumerate() {
        let scheme = *schemes.iter().find(|scheme| scheme.to_string() == case[0]).expect("a scheme");
        let sentences = |value: &serde_json::Value| -> Vec<Vec<String>> {
            let text = value.as_str().expect("tags");
            text.split('|').map(|tags| tags.split(' ').map(str::to_owned).collect()).collect()
        };
        let (truths, predictions) = (sentences(&case[1]), sentences(&case[2]));
        let metrics = EntityMetrics::with_scheme(Some(scheme), &truths, &predictions, 0.0);
        let (_, strict) = metrics.strict.as_ref().expect("the strict mode");
        let modes = [&metrics.default, strict].into_iter().flat_map(|figures| [figures.micro, figures.macro_, figures.weighted]);
        let figures = modes.flat_map(|figures| [figures.precision, figures.recall, figures.f1]);
        let found = [metrics.accuracy].into_iter().chain(figures);
        for (place, (found, expected)) in found.zip(numbers(&case[3..])).enumerate() {
            if !near(Some(found), expected) {
                wrong.push(format!("case {number} ({scheme}): figure {place}: {found}, seqeval says {expected:?}: {case:?}"));
            }
        }
    }
    assert!(golden.cases.len() >= 1000);
    assert!(wrong.is_empty(), "{} figures differ:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
}

#[test]
fn the_scheme_follows_from_the_letters_of_the_tags() {
    for (tags, scheme) in [
        ("O B-A I-A", Some(Scheme::Iob2)),
        ("B-A", Some(Scheme::Iob2)),
        ("O I-A E-A", Some(Scheme::Ioe2)),
        ("O B-A I-A E-A S-A", Some(Scheme::Iobes)),
        ("O B-A I-A L-A U-A", Some(Scheme::Bilou)),
        ("O I-A", None),
        ("NOUN VERB", None),
    ] {
        assert_eq!(Scheme::of_tags(&tags.split(' ').collect::<Vec<_>>()), scheme, "{tags}");
    }
    assert_eq!(Scheme::Iob2.entities(&["S-A"]), None);
}

#[test]
fn a_strict_mode_that_differs_in_nothing_is_told_in_a_line() {
    let tags = ["B-X", "I-X", "O"].map(str::to_owned);
    let table = |truth: [&str; 2], said: [&str; 2]| {
        EntityMetrics::with_scheme(Scheme::of_tags(&tags), &[truth.to_vec()], &[said.to_vec()], 0.0).table()
    };
    let same = table(["B-X", "I-X"], ["B-X", "I-X"]);
    assert!(same.starts_with("entities, the same in seqeval's default mode and in its strict mode (IOB2)\n"), "{same}");
    let other = table(["B-X", "I-X"], ["I-X", "I-X"]);
    assert_eq!(other.matches("entities, seqeval's").count(), 2, "{other}");
}

#[test]
fn tags_that_spell_no_entities_are_judged_as_classes_of_words() {
    let tags = ["ADV", "NOUN", "VERB"].map(str::to_owned);
    let (truths, said) = (vec!["NOUN", "VERB", "ADV", "NOUN"], vec!["NOUN", "NOUN", "ADV", "VERB"]);
    let place = |tag: &&str| tags.iter().position(|other| other == tag).unwrap();
    let pairs = truths.iter().map(place).zip(said.iter().map(place));
    let classes = ClassificationMetrics::new(&ConfusionMatrix::from_pairs(3, pairs), &tags, 0.0);
    let words = EntityMetrics::of_words(&[truths], &[said], 0.0);
    assert_eq!((&words.default.types, words.default.macro_), (&classes.classes, classes.macro_));
    assert_eq!(
        (words.default.weighted, words.default.micro, words.accuracy),
        (classes.weighted, classes.micro, classes.accuracy)
    );
    assert_eq!(words.headline()[0], ("macro F1", classes.macro_.f1));
    assert!(words.table().starts_with("tag       precision"), "{}", words.table());
}
