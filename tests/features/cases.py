"""One tiny model of every family that is tested, and where its states are found in a plain forward pass."""

from dataclasses import dataclass

import tiny
import transformers as t

TEXT = {"vocab_size": 40, "max_position_embeddings": 80} | tiny.SMALL
DECODER = {"num_key_value_heads": 1} | TEXT
TOWERS = {"text_config": TEXT | {"eos_token_id": 1}, "vision_config": tiny.PICTURE | tiny.SMALL, "projection_dim": 8}
SPEECH = tiny.SMALL | tiny.CONVOLUTIONS | tiny.POSITIONS


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
    padded: bool = False  # whether the model was trained on texts of one length, their padding included


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
    "SigLIP, text": lambda: Case(
        t.SiglipConfig(**TOWERS),
        tower="text_model",
        norm="final_layer_norm",
        joint="get_text_features",
        padded=True,
        **language(tiny.siglip(), 0, 1),
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
