//! The model that training began with, the program, and the command that makes the run again. Knows facts.

use maud::{Markup, html};

use super::pairs;
use crate::figures::count;
use crate::report::facts::Facts;
use crate::report::text;

pub(super) fn section(facts: &Facts) -> Option<Markup> {
    let language = facts.language;
    let (model, made) = (&facts.model, &facts.made);
    let plain = |english, chinese, value: String| (language.of(english, chinese).to_owned(), html! { (value) });
    let whole = |value: usize| count(value as u64);
    let mut rows = vec![
        (language.of("model", "模型").to_owned(), html! { code { (text::name(&model.name, 300)) } }),
        (language.of("its folder", "所在目录").to_owned(), html! { code { (text::name(&model.folder, 300)) } }),
        plain("family", "模型系列", model.family.clone()),
        plain("parameters", "参数量", whole(model.parameters)),
        plain("of these trained", "其中参与训练", whole(model.trained_parameters)),
        plain("hidden size", "隐藏层维度", whole(model.hidden_size)),
        plain("layers", "层数", whole(model.layers)),
        plain("attention heads", "注意力头数", whole(model.attention_heads)),
        plain("vocabulary", "词表大小", whole(model.vocabulary)),
    ];
    rows.extend(model.decoder_vocabulary.map(|size| plain("vocabulary that is written", "输出词表大小", whole(size))));
    rows.extend([plain("tokens read at once", "一次读取的词元数", whole(model.max_length))]);
    if model.labels > 0 {
        rows.push(plain("labels", "标签数", whole(model.labels)));
    }
    rows.push(plain("Graftling", "Graftling 版本", made.version.clone()));
    rows.push(plain("machine", "运行平台", made.platform.clone()));
    Some(html! {
        (pairs(&rows))
        h3 { (language.of("The same run again", "重现这次训练")) }
        pre { code { (made.command) } }
    })
}
