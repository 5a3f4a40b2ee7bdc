"""Makes crates/graftling-models/src/families/known_keys.txt: the keys that the config of a model of a known family may have, one a line.

    python tools/reference/config_keys.py

They are those of transformers' config classes of these families, all words that stand in quotes where graftling reads configs, and those that
older versions and the programs before it wrote, of which nothing follows. What is none of them is told to whoever opens such a model.
"""
import inspect
import re

import transformers

from bert import ROOT

CLASSES = [
    "Bert", "Roberta", "XLMRoberta", "Camembert", "DistilBert", "Electra", "Albert", "MPNet", "ModernBert", "DebertaV2", "GPT2", "Llama", "Mistral", "Qwen2",
    "Qwen3", "Bart", "MBart", "Marian", "T5", "MT5", "EncoderDecoder",
]
# Of every config of transformers before version 5: outputs, labels, and what `generate` was told in them.
OLDER = """
_name_or_path _commit_hash _attn_implementation_autoset _attn_implementation_internal add_cross_attention architectures auto_map bad_words_ids begin_suppress_tokens bos_token_id chunk_size_feed_forward
cross_attention_hidden_size custom_pipelines decoder_start_token_id diversity_penalty do_sample dtype early_stopping encoder_no_repeat_ngram_size eos_token_id
exponential_decay_length_penalty finetuning_task forced_bos_token_id forced_eos_token_id id2label is_decoder is_encoder_decoder keys_to_ignore_at_inference label2id
length_penalty max_length max_new_tokens min_length model_type no_repeat_ngram_size num_beam_groups num_beams num_labels num_return_sequences output_attentions
output_hidden_states output_scores pad_token_id prefix problem_type pruned_heads remove_invalid_values repetition_penalty return_dict return_dict_in_generate
sep_token_id suppress_tokens task_specific_params temperature tf_legacy_loss tie_encoder_decoder tie_word_embeddings tokenizer_class top_k top_p torch_dtype torchscript
transformers_version typical_p use_bfloat16 use_cache attn_implementation
""".split()
# What stands in published configs and says nothing of what is computed: settings of training, and notes of the programs that made them.
WITHOUT_EFFECT = """
activation_norm adapters add_bias_logits add_final_layer_norm add_pooling_layer attention_probs_dropout_prob bert_model_type classif_dropout directionality
down_scale_factor embedding_dropout_prob emb_layer_norm_before emb_pdrop extra_pos_embeddings force_bos_token_to_be_generated gap_size gradient_checkpointing initializer_range inner_group_num
language layer_norm_type mask_token_id max_window_layers model_name n_ctx n_special net_structure_type neftune_noise_alpha normalize_before normalize_embedding num_memory_blocks num_hidden_groups
output_past output_values pad_idx parallel_attn pooler_fc_size pooler_num_attention_heads pooler_num_fc_layers pooler_size_per_head pooler_type position_embedding_type predict_special_tokens
pretraining_tp reference_compile repad_logits_with_grad save_step seq_classif_dropout sparse_pred_ignore_index sparse_prediction static_position_embeddings
summary_activation summary_first_dropout summary_last_dropout summary_proj_to_labels summary_type summary_use_proj token_dropout training type_vocab_size unsloth_fixed unsloth_version
is_llama_config model_max_length rope_interleaved source_language target_language tie_weights_ use_mrope
transformers.js_config vocab_size xla_device z_steps
""".split()
FAMILIES = ROOT / "crates/graftling-models/src/families"
# What graftling says of pairs, and in the folders of students of Marian.
OWN = ["decoder_start_is_not_written", "unk_token_id"]


def main() -> None:
    keys = {*OLDER, *OWN, *WITHOUT_EFFECT}
    for name in CLASSES:
        kind = getattr(transformers, f"{name}Config")
        keys |= set(inspect.signature(kind.__init__).parameters) - {"self", "args", "kwargs"} | set(kind.attribute_map) | set(kind.attribute_map.values())
        if name != "EncoderDecoder":
            keys |= set(kind().to_dict())
    for path in FAMILIES.glob("*.rs"):
        keys |= set(re.findall(r'"([a-z][a-z0-9_]*)"', path.read_text()))
    path = FAMILIES / "known_keys.txt"
    path.write_text("".join(f"{key}\n" for key in sorted(keys)))
    print(f"{path.name}: {len(keys)} keys")


if __name__ == "__main__":
    main()
