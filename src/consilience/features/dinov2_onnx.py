"""A DINOv2-small backbone read out of an ONNX graph into transformers' Dinov2Model.

The graph is a saliency network; its backbone's weights carry the names of the transformers model that it was
exported from, except the matrices: an exporter folds x W' + b into a MatMul whose matrix, transposed, is
named after the node alone.
"""

from __future__ import annotations

from ..optional import bring
from .encoder import Encoder, prepare
from .network import encoder
from .sides import images
from .weights import drawn, pretrained

torch = bring("torch")

SIZES = {
    "hidden_size": 384,
    "num_hidden_layers": 12,
    "num_attention_heads": 6,
    "image_size": 518,
    "patch_size": 14,
}
OPTIONS = ("parts",)
BACKBONE = "backbone."


def load(row, folder, weights, seed) -> Encoder:
    """An encoder with the layers embeddings, block1 to block12, norm, each a class token and the patch tokens."""
    transformers = bring("transformers")
    config = transformers.Dinov2Config(**SIZES)
    if weights == "random":
        model = drawn(transformers.Dinov2Model, config, seed)
    else:
        (file,) = row["files"]
        model = pretrained(transformers.Dinov2Model, None, config=config, state_dict=state(folder / file))

    def pixels(pictures):
        return {"pixel_values": torch.from_numpy(prepare(pictures, **row["input"]))}

    return encoder(model, "image", images(pixels, config), row.get("parts"))


def state(path):
    """The backbone's weights in the ONNX file at `path`, as {name on the hub: tensor}."""
    onnx = bring("onnx")
    graph = onnx.load(path).graph
    values = {i.name: torch.from_numpy(onnx.numpy_helper.to_array(i).copy()) for i in graph.initializer}
    named = {name.removeprefix(BACKBONE): value for name, value in values.items() if name.startswith(BACKBONE)}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in values:
            module = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            named[module.removeprefix(BACKBONE) + ".weight"] = values[node.input[1]].T.contiguous()
    return named | positions(values)


def positions(values):
    """Position embeddings: one for the class token, and a grid that the graph keeps apart from it.

    The graph has no mask token: nothing is masked outside training, so zeros stand for it.
    """
    units, side = SIZES["hidden_size"], SIZES["image_size"] // SIZES["patch_size"]
    (grid,) = (value for value in values.values() if tuple(value.shape) == (1, side * side, units))
    (first,) = (v for name, v in values.items() if tuple(v.shape) == (1, 1, units) and not name.startswith(BACKBONE))
    return {
        "embeddings.position_embeddings": torch.cat([first, grid], dim=1),
        "embeddings.mask_token": torch.zeros(1, units),
    }
