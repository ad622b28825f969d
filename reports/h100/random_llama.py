"""Writes a Llama of the shape of TinyLlama-1.1B with random bf16 weights. Its output has no meaning; its costs are real.

python3 random_llama.py FOLDER TOKENIZER_JSON    (needs torch and safetensors)
"""

import json
import pathlib
import shutil
import sys

import torch
from safetensors.torch import save_file

HIDDEN, INTERMEDIATE, LAYERS, HEADS, KV_HEADS, VOCAB = 2048, 5632, 22, 32, 4, 32000

folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
shutil.copy(sys.argv[2], folder / "tokenizer.json")
torch.manual_seed(42)
kv = HIDDEN // HEADS * KV_HEADS


def random(*shape):
    return (torch.randn(*shape) * 0.02).to(torch.bfloat16)


weights = {"model.embed_tokens.weight": random(VOCAB, HIDDEN), "lm_head.weight": random(VOCAB, HIDDEN)}
weights["model.norm.weight"] = torch.ones(HIDDEN, dtype=torch.bfloat16)
for i in range(LAYERS):
    layer = f"model.layers.{i}."
    for name, shape in {
        "self_attn.q_proj": (HIDDEN, HIDDEN),
        "self_attn.k_proj": (kv, HIDDEN),
        "self_attn.v_proj": (kv, HIDDEN),
        "self_attn.o_proj": (HIDDEN, HIDDEN),
        "mlp.gate_proj": (INTERMEDIATE, HIDDEN),
        "mlp.up_proj": (INTERMEDIATE, HIDDEN),
        "mlp.down_proj": (HIDDEN, INTERMEDIATE),
    }.items():
        weights[f"{layer}{name}.weight"] = random(*shape)
    for name in ("input_layernorm", "post_attention_layernorm"):
        weights[f"{layer}{name}.weight"] = torch.ones(HIDDEN, dtype=torch.bfloat16)
save_file(weights, str(folder / "model.safetensors"), metadata={"format": "pt"})
config = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_act": "silu",
    "hidden_size": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "vocab_size": VOCAB,
    "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
(folder / "config.json").write_text(json.dumps(config, indent=2))
