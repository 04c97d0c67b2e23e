"""A residual network that comes as an ONNX graph, run by onnxruntime with its blocks tapped.

A residual block ends in the ReLU of a sum of two activations; any other sum in the graph adds a constant.
"""

from __future__ import annotations

import numpy as np

from ..optional import bring
from .encoder import Encoder, prepare
from .onnx_graph import draw_weights, session
from .tokens import Map

EVERY = 2  # blocks between two layers
PASSED_ON = ("Cast", "Identity", "Transpose")  # nodes that change no value


def load(row, folder, weights, seed):
    """An encoder with the layers stem and every second block, each a map."""
    (file,) = row["files"]
    model = bring("onnx").load(folder / file)
    if weights == "random":
        draw_weights(model.graph, seed)
    taps = tapped(model.graph)
    outputs = list(taps.values())
    graph = session(model, outputs)
    entrance = graph.get_inputs()[0].name

    def encode(images):
        pixels = prepare(images, **row["input"]).transpose(0, 2, 3, 1)  # the graph takes channels last
        return [Map(x.transpose(0, 3, 1, 2)) for x in graph.run(outputs, {entrance: np.ascontiguousarray(pixels)})]

    return Encoder("image", list(taps), encode)


def tapped(graph):
    """{layer: name of the graph's value}: the first ReLU as the stem, then every second residual block."""
    made_by = {output: node for node in graph.node for output in node.output}
    constants = {weight.name for weight in graph.initializer}

    def origin(value):
        while value in made_by and made_by[value].op_type in PASSED_ON:
            value = made_by[value].input[0]
        return value

    def ends_block(node):
        total = made_by[origin(node.input[0])]
        return total.op_type == "Add" and not constants & {origin(value) for value in total.input}

    rectifiers = [node for node in graph.node if node.op_type == "Relu"]
    blocks = [node.output[0] for node in rectifiers if ends_block(node)]
    taps = {f"block{b}": blocks[b - 1] for b in range(EVERY, len(blocks) + 1, EVERY)}
    return {"stem": rectifiers[0].output[0]} | taps
