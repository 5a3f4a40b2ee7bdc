//! What figures are called on a page, by their names in the results files. A figure that is not here is shown under its own name, so a new
//! metric needs nothing of this. Knows no value.

use super::Language;
use crate::recipe::BestMetric;

/// The name in the results files, and what it is called in both languages.
const NAMES: &[(&str, &str, &str)] = &[
    ("loss", "loss", "损失"),
    ("accuracy", "accuracy", "准确率"),
    ("precision", "precision", "精确率"),
    ("recall", "recall", "召回率"),
    ("f1", "F1", "F1"),
    ("precision_macro", "precision, macro", "精确率（宏平均）"),
    ("recall_macro", "recall, macro", "召回率（宏平均）"),
    ("f1_macro", "F1, macro", "F1（宏平均）"),
    ("precision_micro", "precision, micro", "精确率（微平均）"),
    ("recall_micro", "recall, micro", "召回率（微平均）"),
    ("f1_micro", "F1, micro", "F1（微平均）"),
    ("precision_weighted", "precision, weighted", "精确率（加权平均）"),
    ("recall_weighted", "recall, weighted", "召回率（加权平均）"),
    ("f1_weighted", "F1, weighted", "F1（加权平均）"),
    ("precision_samples", "precision, by text", "精确率（按样本）"),
    ("recall_samples", "recall, by text", "召回率（按样本）"),
    ("f1_samples", "F1, by text", "F1（按样本）"),
    ("strict_precision", "precision, strict", "精确率（严格）"),
    ("strict_recall", "recall, strict", "召回率（严格）"),
    ("strict_f1", "F1, strict", "F1（严格）"),
    ("strict_precision_macro", "precision, strict, macro", "精确率（严格，宏平均）"),
    ("strict_recall_macro", "recall, strict, macro", "召回率（严格，宏平均）"),
    ("strict_f1_macro", "F1, strict, macro", "F1（严格，宏平均）"),
    ("strict_precision_weighted", "precision, strict, weighted", "精确率（严格，加权平均）"),
    ("strict_recall_weighted", "recall, strict, weighted", "召回率（严格，加权平均）"),
    ("strict_f1_weighted", "F1, strict, weighted", "F1（严格，加权平均）"),
    ("scheme", "scheme of the tags", "标注体系"),
    ("hamming_loss", "wrong decisions (Hamming loss)", "错误判断的比例（汉明损失）"),
    ("matthews", "Matthews' correlation", "马修斯相关系数"),
    ("roc_auc", "ROC-AUC", "ROC 曲线下面积"),
    ("roc_auc_micro", "ROC-AUC, pooled", "ROC 曲线下面积（合并）"),
    ("average_precision", "average precision", "平均精确率"),
    ("average_precision_micro", "average precision, pooled", "平均精确率（合并）"),
    ("brier", "Brier score", "布里尔分数"),
    ("calibration_error", "calibration error", "校准误差"),
    ("mse", "mean squared error", "均方误差"),
    ("rmse", "root of the mean squared error", "均方根误差"),
    ("mae", "mean absolute error", "平均绝对误差"),
    ("r2", "R²", "R²"),
    ("pearson", "Pearson's correlation", "皮尔逊相关系数"),
    ("spearman", "Spearman's correlation", "斯皮尔曼相关系数"),
    ("perplexity", "perplexity", "困惑度"),
    ("tokens", "tokens guessed", "预测的词元数"),
    ("exact_match", "exact match", "完全匹配"),
    ("exact_match_mixed", "exact match, mixed segmentation", "完全匹配（混合分词）"),
    ("f1_mixed", "F1, mixed segmentation", "F1（混合分词）"),
    ("HasAns_exact", "exact match, with an answer", "完全匹配（有答案）"),
    ("HasAns_f1", "F1, with an answer", "F1（有答案）"),
    ("HasAns_total", "questions with an answer", "有答案的问题数"),
    ("NoAns_exact", "exact match, without an answer", "完全匹配（无答案）"),
    ("NoAns_f1", "F1, without an answer", "F1（无答案）"),
    ("NoAns_total", "questions without an answer", "无答案的问题数"),
    ("best_exact", "exact match, best threshold", "完全匹配（最佳阈值）"),
    ("best_exact_thresh", "threshold of that", "对应阈值"),
    ("best_f1", "F1, best threshold", "F1（最佳阈值）"),
    ("best_f1_thresh", "threshold of that F1", "F1 对应阈值"),
    ("queries", "texts that search", "查询文本数"),
    ("candidates", "texts that are searched", "候选文本数"),
    ("cosine_accuracy@1", "found first (accuracy@1)", "排在首位（准确率@1）"),
    ("cosine_accuracy@3", "found among the first 3 (accuracy@3)", "排在前 3（准确率@3）"),
    ("cosine_accuracy@10", "found among the first 10 (accuracy@10)", "排在前 10（准确率@10）"),
    ("cosine_mrr@10", "mean reciprocal rank (MRR@10)", "平均倒数排名（MRR@10）"),
    ("cosine_ap", "average precision, cosine", "平均精确率（余弦）"),
    ("cosine_accuracy", "accuracy, cosine", "准确率（余弦）"),
    ("cosine_accuracy_threshold", "threshold of that accuracy", "准确率对应阈值"),
    ("cosine_f1", "F1, cosine", "F1（余弦）"),
    ("cosine_f1_threshold", "threshold of that F1", "F1 对应阈值"),
    ("cosine_precision", "precision at that threshold", "该阈值下的精确率"),
    ("cosine_recall", "recall at that threshold", "该阈值下的召回率"),
    ("dot_accuracy", "accuracy, dot product", "准确率（点积）"),
    ("manhattan_accuracy", "accuracy, Manhattan distance", "准确率（曼哈顿距离）"),
    ("euclidean_accuracy", "accuracy, Euclidean distance", "准确率（欧氏距离）"),
    ("pearson_cosine", "Pearson's correlation, cosine", "皮尔逊相关系数（余弦）"),
    ("pearson_dot", "Pearson's correlation, dot product", "皮尔逊相关系数（点积）"),
    ("pearson_manhattan", "Pearson's correlation, Manhattan distance", "皮尔逊相关系数（曼哈顿距离）"),
    ("pearson_euclidean", "Pearson's correlation, Euclidean distance", "皮尔逊相关系数（欧氏距离）"),
    ("spearman_cosine", "Spearman's correlation, cosine", "斯皮尔曼相关系数（余弦）"),
    ("spearman_dot", "Spearman's correlation, dot product", "斯皮尔曼相关系数（点积）"),
    ("spearman_manhattan", "Spearman's correlation, Manhattan distance", "斯皮尔曼相关系数（曼哈顿距离）"),
    ("spearman_euclidean", "Spearman's correlation, Euclidean distance", "斯皮尔曼相关系数（欧氏距离）"),
    ("examples", "examples", "样本数"),
    ("zero_division_precision", "classes never predicted", "从未被预测的类别数"),
    ("zero_division_recall", "classes predicted that do not occur", "被预测但未出现的类别数"),
    ("absent_classes", "classes that neither occur nor are predicted", "既未出现也未被预测的类别数"),
];

/// What a figure is called.
pub(super) fn of(language: Language, figure: &str) -> String {
    let known = NAMES.iter().find(|(name, _, _)| *name == figure);
    known.map_or(figure.to_owned(), |(_, english, chinese)| language.of(english, chinese).to_owned())
}

/// The name in the results files of a figure of `Metrics::headline`.
pub(super) fn key_of(told: &str) -> String {
    let known = match told {
        "macro F1" => "f1_macro",
        "micro F1" => "f1_micro",
        "all labels right" | "tag accuracy" => "accuracy",
        "entity F1" => "f1",
        "strict F1" => "strict_f1",
        "Spearman of cosines" => "spearman_cosine",
        "Pearson of cosines" => "pearson_cosine",
        "average precision" => "cosine_ap",
        "best F1" => "cosine_f1",
        "best accuracy" | "triplet accuracy" => "cosine_accuracy",
        "accuracy@1" => "cosine_accuracy@1",
        "MRR@10" => "cosine_mrr@10",
        other => return other.to_lowercase().replace(' ', "_"),
    };
    known.to_owned()
}

/// The names in the results files of a figure that checkpoints may be chosen by: its own, or those that it has for sentence vectors.
pub(super) fn keys_of(metric: BestMetric) -> impl Iterator<Item = &'static str> {
    let of_vectors: &[&str] = match metric {
        BestMetric::Accuracy => &["cosine_accuracy@1", "cosine_accuracy"],
        BestMetric::F1 => &["cosine_f1"],
        BestMetric::Pearson => &["pearson_cosine"],
        BestMetric::Spearman => &["spearman_cosine"],
        BestMetric::AveragePrecision => &["cosine_ap"],
        BestMetric::Mrr => &["cosine_mrr@10"],
        _ => &[],
    };
    std::iter::once(metric.word()).chain(of_vectors.iter().copied())
}
