"""Tiny models in folders laid out as on the hub, with tokenizers and processors built here."""

import json

import numpy as np
import tokenizers
import torch
import transformers
from tokenizers import models, pre_tokenizers, processors

WORDS = [
    "a",
    "the",
    "cat",
    "dog",
    "house",
    "runs",
    "sleeps",
    "under",
    "over",
    "tree",
    "blue",
    "red",
    "big",
    "small",
    "on",
    "mat",
    "and",
    "then",
    "it",
    "rains",
]
SMALL = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
PICTURE = {"image_size": 16, "patch_size": 8}
CONVOLUTIONS = {"conv_dim": [8, 8], "conv_kernel": [10, 3], "conv_stride": [5, 2]}
POSITIONS = {"num_conv_pos_embeddings": 4, "num_conv_pos_embedding_groups": 2}


def folder(place, config, seed=0, **processors):
    """Save a model with random weights that spread, and its processors."""
    torch.manual_seed(seed)
    model = transformers.AutoModel.from_config(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    model.save_pretrained(place)
    for processor in processors.values():
        processor.save_pretrained(place)
    return place


def tokenizer(before="", after="", model_input_names=("input_ids", "attention_mask"), **special):
    """Words as tokens, with special tokens around a text: `before` and `after` name them."""
    names = dict.fromkeys(["<unk>", *special.values(), *filter(None, (before, after))])
    vocabulary = {word: i for i, word in enumerate([*names, *WORDS])}
    made = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    marks = [(name, vocabulary[name]) for name in (before, after) if name]
    if marks:
        made.post_processor = processors.TemplateProcessing(
            single=" ".join(filter(None, (before, "$A", after))), special_tokens=marks
        )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made,
        unk_token="<unk>",
        model_max_length=24,
        model_input_names=list(model_input_names),
        **special,
    )


def bert():
    return tokenizer("[CLS]", "[SEP]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]")


def roberta():
    return tokenizer("<s>", "</s>", bos_token="<s>", pad_token="<pad>", cls_token="<s>", sep_token="</s>")


def t5():
    return tokenizer("", "</s>", pad_token="<pad>", eos_token="</s>")


def siglip():
    """Without a mask: the model sees the padding, as in its training."""
    return tokenizer("", "</s>", pad_token="</s>", eos_token="</s>", model_input_names=["input_ids"])


def gpt():
    """No special token around a text, and none to pad with."""
    return tokenizer(eos_token="<|endoftext|>")


def qwen():
    """Bytes as tokens: the library makes no other tokenizer for this family."""
    vocabulary = {letter: i for i, letter in enumerate("ĠabcdefghijklmnopqrstuvwxyzT.")}
    return transformers.Qwen2Tokenizer(vocab=vocabulary, merges=[], model_max_length=64)


def llama():
    return tokenizer("<s>", "", bos_token="<s>", eos_token="</s>")


def clip():
    ends = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
    return tokenizer(*ends.values(), pad_token="<|endoftext|>", **ends)


def pictures(side=16):
    size = {"height": side, "width": side}
    return transformers.ViTImageProcessorPil(size=size)


def tell(place, file, **values):
    """Change what a file of a folder says."""
    path = place / file
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def waves(seconds, seed=0):
    rng = np.random.default_rng(seed)
    return tuple(rng.standard_normal(int(16_000 * s)).astype(np.float32) for s in seconds)
