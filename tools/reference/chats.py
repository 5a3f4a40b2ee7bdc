"""Writes conversations by chat templates as transformers does.

    python tools/reference/chats.py

crates/graftling-text/tests/golden/chats.json: templates in the manner of several families of models, conversations, the text of each as it stands and
with what stands before an answer, and what the assistant says by the tag `generation`, which transformers alone knows and which is taken out for us.
"""
import re

from transformers.utils.chat_template_utils import render_jinja_template

from bert import ROOT
from golden import made_by, write_json

TOKENS = {"bos_token": "<s>", "eos_token": "</s>"}
# {+ and +} stand for the tag around what the assistant says.
TEMPLATES = {
    "turns": (
        "{% for message in messages %}\n"
        "    {% if loop.first and message['role'] != 'system' %}\n<|start|>system\nBe kind.<|end|>\n    {% endif %}\n"
        "    {{- '<|start|>' + message['role'] + '\\n' }}{+{{ message['content'] + '<|end|>\\n' }}+}\n"
        "{%- endfor %}\n"
        "{% if add_generation_prompt %}{{ '<|start|>assistant\\n' }}{% endif %}"
    ),
    "headers": (
        "{{- bos_token }}\n{%- set ns = namespace(count=0) %}\n{%- for message in messages %}\n    {%- set ns.count = ns.count + 1 %}\n"
        "    {{- '[' ~ message.role.upper() ~ ']\\n\\n' }}{+{{ message.content | trim }}{{ eos_token }}+}\n{%- endfor %}\n"
        "{%- if add_generation_prompt %}\n    {{- '[ASSISTANT]\\n\\n' }}\n{%- endif %}"
    ),
    "instructions": (
        "{{ bos_token }}{% for message in messages %}{% if message['role'] not in ['user', 'assistant', 'system'] %}"
        "{{ raise_exception('unknown role ' + message['role']) }}{% endif %}"
        "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'].strip() + ' [/INST]' }}"
        "{% elif message['role'] == 'system' %}{{ '<<' + message['content'].replace('\\n', ' ') + '>>' }}"
        "{% else %}{+{{ ' ' + message['content'].strip() + eos_token }}+}{% endif %}{% endfor %}"
    ),
    "data": (
        "{% for message in messages %}{% if message['role'] != 'assistant' %}{{ message | tojson }}\n{{ message | tojson(indent=2) }}{% else %}"
        "{+{{ message['content'].split('\\n')[0] if message['content'] is string else message['content'] }}{{ '#' if loop.last }}{% if not loop.last %}#{% endif %}+}"
        "{% endif %}{% endfor %}{% if add_generation_prompt is defined and add_generation_prompt %}{% endif %}"
    ),
}
CONVERSATIONS = {
    "short": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}],
    "long": [
        {"role": "system", "content": "Answer in\none line."}, {"role": "user", "content": " What is <1 & 2>? "}, {"role": "assistant", "content": "3"},
        {"role": "user", "content": "你好吗？\n\"ok\""}, {"role": "assistant", "content": "很好。"},
    ],
    "unanswered": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}],
}


def main() -> None:
    cases = []
    for name, template in TEMPLATES.items():
        plain = re.sub(r"{\+|\+}", "", template)
        # Only what the assistant says is tagged.
        tagged = template.replace("{+", "{% if message['role'] == 'assistant' %}{% generation %}").replace(
            "+}", "{% endgeneration %}{% else %}@@{% endif %}"
        )
        tagged = re.sub(r"{% generation %}(.*?){% endgeneration %}{% else %}@@", r"{% generation %}\1{% endgeneration %}{% else %}\1", tagged, flags=re.S)
        for talk, messages in CONVERSATIONS.items():
            closed, answer_wanted = (
                render_jinja_template([messages], chat_template=plain, add_generation_prompt=wanted, **TOKENS)[0][0] for wanted in [False, True]
            )
            (text,), (spans,) = render_jinja_template([messages], chat_template=tagged, return_assistant_tokens_mask=True, **TOKENS)
            assert text == closed, (name, talk, text, closed)
            cases.append({
                "name": f"{name}, {talk}", "template": plain, "messages": messages, "closed": closed, "answer_wanted": answer_wanted,
                "said": [text[start:end] for start, end in spans],
            })
    write_json(ROOT / "crates/graftling-text/tests/golden/chats.json", {"made_by": made_by("chats.py"), "cases": cases})


if __name__ == "__main__":
    main()
