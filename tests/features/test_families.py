"""Every family of models against a plain forward pass, one stimulus at a time, with the library's own hidden states."""

from dataclasses import dataclass

import numpy as np
import pytest
import tiny
import torch
import transformers as t
from PIL import Image

from consilience import features
from consilience.features import store
from consilience.stimuli import Stimuli

TEXT = {"vocab_size": 40, "max_position_embeddings": 80} | tiny.SMALL
DECODER = {"num_key_value_heads": 1} | TEXT
TOWERS = {"text_config": TEXT | {"eos_token_id": 1}, "vision_config": tiny.PICTURE | tiny.SMALL, "projection_dim": 8}
SPEECH = tiny.SMALL | tiny.CONVOLUTIONS | tiny.POSITIONS
TEXTS = ("a cat", "the big dog runs under the blue tree and then it rains", "it rains", "small house")


@dataclass
class Case:
    """A model, its processor, and where to look for its states in a plain forward pass."""

    config: object
    processor: object
    modality: str
    tower: str = ""  # the module that is run
    norm: str = ""  # the module after the last block, inside the tower
    joint: str = ""  # what brings the tower into the joint space
    specials: tuple = ()  # how many special tokens come first and last


def vit(side=16):
    return {"processor": tiny.pictures(side), "modality": "image"}


def language(tokenizer, before, after):
    return {"processor": tokenizer, "modality": "text", "specials": (before, after)}


def speech(mask):
    return {"processor": t.Wav2Vec2FeatureExtractor(return_attention_mask=mask), "modality": "sound"}


STAGES = {"hidden_sizes": [4, 6, 8, 10], "depths": [1, 1, 2, 1]}
CLAP = {
    "text_config": TEXT,
    "audio_config": {"depths": [1, 1], "num_attention_heads": [1, 2], "patch_embeds_hidden_size": 8, "hidden_size": 16}
    | {"spec_size": 64, "num_mel_bins": 16, "window_size": 2},
}
WHISPER = {"encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 24, "decoder_layers": 1}
WHISPER |= {"decoder_attention_heads": 2, "decoder_ffn_dim": 24, "d_model": 16, "vocab_size": 40}
WHISPER |= {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1}
STABLE = {"feat_extract_norm": "layer", "do_stable_layer_norm": True}

CASES = {
    "ViT": lambda: Case(t.ViTConfig(**tiny.PICTURE, **tiny.SMALL), norm="layernorm", **vit()),
    "DINOv2": lambda: Case(t.Dinov2Config(**tiny.PICTURE, **tiny.SMALL), norm="layernorm", **vit()),
    "DINOv2 with registers": lambda: Case(
        t.Dinov2WithRegistersConfig(num_register_tokens=3, **tiny.PICTURE, **tiny.SMALL), norm="layernorm", **vit()
    ),
    "MAE": lambda: Case(t.ViTMAEConfig(**tiny.PICTURE, **tiny.SMALL), norm="layernorm", **vit()),
    "ConvNeXt": lambda: Case(t.ConvNextConfig(**STAGES), **vit(64)),
    "ResNet": lambda: Case(t.ResNetConfig(embedding_size=4, **STAGES), **vit(64)),
    "CLIP, image": lambda: Case(t.CLIPConfig(**TOWERS), tower="vision_model", joint="get_image_features", **vit()),
    "CLIP, text": lambda: Case(
        t.CLIPConfig(**TOWERS),
        tower="text_model",
        norm="final_layer_norm",
        joint="get_text_features",
        **language(tiny.clip(), 1, 1),
    ),
    "SigLIP, image": lambda: Case(
        t.SiglipConfig(**TOWERS), tower="vision_model", norm="post_layernorm", joint="get_image_features", **vit()
    ),
    "BERT": lambda: Case(t.BertConfig(**TEXT), **language(tiny.bert(), 1, 1)),
    "RoBERTa": lambda: Case(t.RobertaConfig(**TEXT), **language(tiny.roberta(), 1, 1)),
    "T5": lambda: Case(
        t.T5Config(vocab_size=40, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2),
        tower="encoder",
        norm="final_layer_norm",
        **language(tiny.t5(), 0, 1),
    ),
    "GPT-2": lambda: Case(
        t.GPT2Config(vocab_size=40, n_embd=16, n_layer=2, n_head=2), norm="ln_f", **language(tiny.gpt(), 0, 0)
    ),
    "GPT-NeoX": lambda: Case(t.GPTNeoXConfig(**TEXT), norm="final_layer_norm", **language(tiny.gpt(), 0, 0)),
    "Llama": lambda: Case(t.LlamaConfig(**DECODER), norm="norm", **language(tiny.llama(), 1, 0)),
    "Qwen": lambda: Case(t.Qwen2Config(**DECODER), norm="norm", **language(tiny.qwen(), 0, 0)),
    "Gemma": lambda: Case(t.Gemma3TextConfig(head_dim=8, **DECODER), norm="norm", **language(tiny.llama(), 1, 0)),
    "Mamba": lambda: Case(
        t.MambaConfig(vocab_size=40, hidden_size=16, num_hidden_layers=2, state_size=4),
        norm="norm_f",
        **language(tiny.gpt(), 0, 0),
    ),
    "CLAP, text": lambda: Case(
        t.ClapConfig(**CLAP), tower="text_model", joint="get_text_features", **language(tiny.roberta(), 1, 1)
    ),
    "wav2vec2": lambda: Case(t.Wav2Vec2Config(**SPEECH), **speech(False)),
    "wav2vec2, large": lambda: Case(t.Wav2Vec2Config(**SPEECH, **STABLE), norm="encoder.layer_norm", **speech(True)),
    "HuBERT": lambda: Case(t.HubertConfig(**SPEECH), **speech(False)),
    "HuBERT, large": lambda: Case(t.HubertConfig(**SPEECH, **STABLE), norm="encoder.layer_norm", **speech(True)),
    "WavLM": lambda: Case(t.WavLMConfig(**SPEECH), **speech(False)),
    "WavLM, large": lambda: Case(t.WavLMConfig(**SPEECH, **STABLE), norm="encoder.layer_norm", **speech(True)),
    "Whisper": lambda: Case(
        t.WhisperConfig(**WHISPER), t.WhisperFeatureExtractor(), "sound", tower="encoder", norm="layer_norm"
    ),
    "CLAP, sound": lambda: Case(
        t.ClapConfig(**CLAP),
        t.ClapFeatureExtractor(feature_size=16, max_length_s=1, truncation="rand_trunc"),
        "sound",
        tower="audio_model",
        norm="audio_encoder.norm",
        joint="get_audio_features",
    ),
}


@pytest.fixture(scope="module")
def things():
    """Four things, each a picture, a text and a sound, all of different size."""
    rng = np.random.default_rng(0)
    images = tuple(Image.fromarray(rng.integers(0, 256, (20 + 7 * i, 30, 3), np.uint8)) for i in range(len(TEXTS)))
    ids = tuple("abcd")
    return Stimuli(
        "things", ids, images=images, texts={"en": TEXTS}, sounds={"en": tiny.waves([0.1, 0.9, 0.0555, 0.32])}
    )


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache", lambda: tmp_path / "cache")


def encode(*arguments, **options):
    return features.encode(*arguments, progress=False, **options)


def made(name, place):
    case = CASES[name]()
    return case, str(tiny.folder(place, case.config, processor=case.processor))


@torch.no_grad()
def plainly(case, place, item):
    """The states of one stimulus, each pooled by hand, as {layer: row}."""
    config = t.AutoConfig.from_pretrained(place)
    if case.config.model_type == "vit_mae":
        config.mask_ratio = 0.0  # the order of the patches stays random, and no mean sees it
    model = t.AutoModel.from_pretrained(place, config=config).eval()
    tower = model.get_submodule(case.tower)
    inputs, mean = INPUTS[case.modality](case, item, getattr(tower, "config", config))
    before_norm = []
    norm = tower.get_submodule(case.norm)
    with norm.register_forward_pre_hook(lambda _, given: before_norm.append(given[0] if given else None)):
        out = tower(**inputs, output_hidden_states=True)
    if case.config.model_type == "mamba":  # whose list starts after the first block
        out.hidden_states = (tower.embeddings(inputs["input_ids"]), *out.hidden_states[:-1])
    last = before_norm if case.norm else [out.hidden_states[-1]]
    states = [*out.hidden_states[:-1], *last, *([out.last_hidden_state] if case.norm else [])]
    rows = [mean(state) for state in states]
    if case.joint:
        rows.append(getattr(model, case.joint)(**inputs).pooler_output[0])
    return [row.numpy() for row in rows]


def of_image(case, image, config):
    inputs = case.processor([image], return_tensors="pt")

    def mean(state):
        if state.ndim == 4:
            return state[0].mean((1, 2))
        return state[0, -4:].mean(0)  # two by two patches, after whatever else there is

    return inputs, mean


def of_text(case, text, config):
    inputs = case.processor(text, return_tensors="pt")
    n_tokens, (before, after) = inputs["input_ids"].shape[1], case.specials
    return inputs, lambda state: state[0, before : n_tokens - after].mean(0)


def of_sound(case, sound, config):
    rate = case.processor.sampling_rate
    if rate != 16_000:
        from scipy.signal import resample_poly

        sound = resample_poly(sound, rate // 1000, 16)
    inputs = case.processor([sound], sampling_rate=rate, return_tensors="pt")
    n_frames = -(-len(sound) // 320) if config.model_type == "whisper" else None

    def mean(state):
        return state[0].flatten(1).mean(1) if state.ndim == 4 else state[0, :n_frames].mean(0)

    return inputs, mean


INPUTS = {"image": of_image, "text": of_text, "sound": of_sound}


@pytest.mark.parametrize("name", CASES)
def test_a_padded_batch_gives_what_a_plain_forward_pass_gives_one_by_one(name, tmp_path, things):
    case, place = made(name, tmp_path / "model")
    found = encode(place, things, modality=case.modality, batch_size=4)
    plain = [plainly(case, place, item) for item in things.items(case.modality)]
    expected = [np.stack(rows) for rows in zip(*plain, strict=True)]
    word = "stage" if "stages" in str(t.AutoModel.from_config(case.config)) else "block"
    blocks = [f"{word}{b + 1}" for b in range(len(expected) - 1 - bool(case.norm) - bool(case.joint))]
    assert found.layers == ["embeddings", *blocks, *["norm"] * bool(case.norm), *["joint"] * bool(case.joint)]
    for layer, X in zip(found.layers, expected, strict=True):
        np.testing.assert_allclose(found[layer], X, rtol=1e-4, atol=2e-5, err_msg=layer)
        assert np.ptp(X, axis=0).max() > 1e-3, "the stimuli differ"
