"""Makes tiny random decoders with their tokenizers, on which whole runs and generation are tested.

    python tools/reference/tiny_decoders.py

crates/graftling-models/tests/golden/tiny-llama/model and tiny-gpt2/model: as transformers saves them, with a byte-level vocabulary that is
learnt from the lines below. Weights are drawn wider than usual, so that what comes next is not the same for every text.
"""
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from bert import GOLDEN

LINES = [
    "the movie was very good and the story is great", "the film was dull and that was not good", "again and again this film is bad",
    "好的电影，很好看。", "这部电影不好看。", "Translate to German: the house is small.", "It costs 12.50 and weighs 3 kg.",
]
SIZES = {"vocab_size": 320, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": None}
TINY = {
    "tiny-llama": transformers.LlamaConfig(
        **SIZES, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=128,
        tie_word_embeddings=True, rms_norm_eps=1e-5,
    ),
    "tiny-gpt2": transformers.GPT2Config(**SIZES, n_embd=32, n_layer=2, n_head=4, n_positions=128),
}


def main() -> None:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=["<|endoftext|>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(20 * LINES, trainer)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>", model_max_length=128)
    for seed, (name, config) in enumerate(TINY.items()):
        torch.manual_seed(seed)
        model = transformers.AutoModelForCausalLM.from_config(config)
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() > 1:
                    parameter.copy_(0.3 * torch.randn(parameter.shape))
        folder = GOLDEN / name / "model"
        model.save_pretrained(folder)
        fast.save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)


if __name__ == "__main__":
    main()
