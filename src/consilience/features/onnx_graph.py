"""What the readers of ONNX graphs share: inner values brought out of a graph, and its weights drawn anew."""

from __future__ import annotations

import numpy as np

from ..optional import bring

# Where a constant enters its node decides what an untrained network has there: 1 for a scale or a variance, 0 for
# the rest. A ceiling or floor is no weight.
SCALES = {("Mul", 1), ("BatchNormalization", 1), ("BatchNormalization", 4)}
NO_WEIGHTS = {("Max", 1), ("Min", 1)}


def session(model, outputs):
    """An onnxruntime session on the processor that gives the values named in `outputs`, wherever they are made."""
    onnx, ort = bring("onnx"), bring("onnxruntime")
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    options = ort.SessionOptions()
    options.log_severity_level = 3  # no-op casts in a graph make it warn
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def draw_weights(graph, seed):
    """Normal convolution weights that keep the variance (He et al. 2015); biases and norms made neutral."""
    onnx = bring("onnx")
    rng = np.random.default_rng(seed)
    enters = {value: (node.op_type, place) for node in graph.node for place, value in enumerate(node.input)}
    for weight in graph.initializer:
        shape, entrance = tuple(weight.dims), enters.get(weight.name)
        if weight.data_type != onnx.TensorProto.FLOAT or entrance in NO_WEIGHTS:
            continue
        if entrance == ("Conv", 1):
            drawn = rng.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
        else:
            drawn = np.full(shape, float(entrance in SCALES))
        weight.CopyFrom(onnx.numpy_helper.from_array(drawn.astype(np.float32), weight.name))
