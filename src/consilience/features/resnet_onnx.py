"""A residual network that comes as an ONNX graph, run by onnxruntime with its blocks tapped.

A residual block ends in the ReLU of a sum of two activations; any other sum in the graph adds a constant.
"""

from __future__ import annotations

import numpy as np

from ..optional import bring
from .encoder import Encoder, prepare
from .tokens import Map

EVERY = 2  # blocks between two layers
PASSED_ON = ("Cast", "Identity", "Transpose")  # nodes that change no value


def load(row, folder, weights, seed):
    """An encoder with the layers stem and every second block, each a map."""
    onnx, ort = bring("onnx"), bring("onnxruntime")
    (file,) = row["files"]
    model = onnx.load(folder / file)
    if weights == "random":
        draw_weights(model.graph, seed)
    taps = tapped(model.graph)
    outputs = list(taps.values())
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    options = ort.SessionOptions()
    options.log_severity_level = 3  # the graph's no-op casts make it warn
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    entrance = session.get_inputs()[0].name

    def encode(images):
        pixels = prepare(images, **row["input"]).transpose(0, 2, 3, 1)  # the graph takes channels last
        return [Map(x.transpose(0, 3, 1, 2)) for x in session.run(outputs, {entrance: np.ascontiguousarray(pixels)})]

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


def draw_weights(graph, seed):
    """Normal convolution weights that keep the variance (He et al. 2015); biases and norms made neutral.

    Each convolution is followed by + bias, - mean, * scale, + shift, so neutral means 0, 0, 1, 0.
    """
    numpy_helper = bring("onnx.numpy_helper")
    rng = np.random.default_rng(seed)
    used_by = {value: node.op_type for node in graph.node for value in node.input}
    for weight in graph.initializer:
        shape = tuple(weight.dims)
        if len(shape) == 4 and used_by[weight.name] == "Conv":
            fan_in = np.prod(shape[1:])
            drawn = rng.standard_normal(shape) * np.sqrt(2 / fan_in)
        else:
            drawn = np.ones(shape) if used_by[weight.name] == "Mul" else np.zeros(shape)
        weight.CopyFrom(numpy_helper.from_array(drawn.astype(np.float32), weight.name))
