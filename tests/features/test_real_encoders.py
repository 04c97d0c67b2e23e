"""The encoders of the kit are the networks that they claim to be, by evidence from outside our code."""

import numpy as np
import pytest
import torch

from consilience import features, kit
from consilience.features import dinov2_onnx, efficientnet, store
from consilience.features.encoder import prepare

# Stamps of things that ImageNet has a class for, with the class's number there.
IMAGENET = {
    "animals/birds/hen": 8,
    "animals/birds/ostrich": 9,
    "animals/birds/pink_flamingo": 130,
    "animals/mammals/cats/lion": 291,
    "animals/mammals/cats/tiger": 292,
    "animals/mammals/equines/zebra": 340,
    "animals/mammals/elephant": 386,
    "animals/marsupials/koala": 105,
    "food/fruit/Strawberry2": 949,
    "food/fruit/banana": 954,
    "food/vegetables/broccoli": 937,
    "household/dishes/teapot": 849,
    "hobbies/music/string/violin": 889,
}


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "cache", lambda: tmp_path)


@pytest.fixture(scope="module")
def some(stamps):
    """Twelve stamps of each of four categories."""
    categories = np.array(stamps.labels)
    chosen = [np.flatnonzero(categories == name)[:24:2] for name in ("animals", "food", "town", "vehicles")]
    return stamps[np.concatenate(chosen)]


def pictures(stamps, ids):
    return [stamps.image(stamps.ids.index(name)) for name in ids]


def file_of(name):
    (path,) = kit.row(name)["files"]
    return kit.get(name) / path


@pytest.mark.parametrize("name", ["efficientnet-lite0", "efficientnet-lite2"])
def test_efficientnet_names_things_as_imagenet_does(stamps, name):
    row = kit.row(name)
    model = efficientnet.EfficientNetLite(row["width"], row["depth"]).eval()
    weights = torch.load(file_of(name), weights_only=True)
    model.load_state_dict({efficientnet.renamed(key): value for key, value in weights.items()}, strict=True)
    assert sum(weight.numel() for weight in model.parameters()) == row["parameters"]
    with torch.inference_mode():
        logits = model(torch.from_numpy(prepare(pictures(stamps, IMAGENET), **row["input"])))
    right = np.mean(logits.argmax(1).numpy() == list(IMAGENET.values()))
    assert right > 0.8


def test_dinov2_equals_the_graph_it_was_read_from(stamps):
    import onnx
    import onnxruntime

    model = onnx.load(file_of("dinov2-small-saliency"))
    last = [n.output[0] for n in model.graph.node if n.name.startswith("/backbone/layernorm/Add")][-1]
    model.graph.output.append(onnx.helper.make_empty_tensor_value_info(last))
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    row = kit.row("dinov2-small-saliency")
    few = stamps[[0, 200, 400]]
    (tokens,) = session.run([last], {"input_image": prepare(list(few), **row["input"])})
    found = features.encode("dinov2-small-saliency", few, progress=False)
    assert found.layers == ["embeddings", *(f"block{b}" for b in range(1, 13)), "norm"]
    np.testing.assert_allclose(found["norm"], tokens[:, 1:].mean(1), atol=1e-4)


def test_dinov2_has_the_published_number_of_weights():
    weights = dinov2_onnx.state(file_of("dinov2-small-saliency"))
    assert sum(w.numel() for w in weights.values()) == kit.row("dinov2-small-saliency")["parameters"]


def test_the_last_layer_of_the_filter_gives_its_own_verdict(stamps):
    """Its classifier, applied by hand to our last layer, says what the untouched graph says."""
    import onnx
    import onnxruntime

    file = file_of("open-nsfw-resnet50")
    few = stamps[[10, 150, 300]]
    found = features.encode("open-nsfw-resnet50", few, progress=False)
    assert found.layers == ["stem", *(f"block{b}" for b in range(2, 17, 2))]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    x = prepare(list(few), **kit.row("open-nsfw-resnet50")["input"]).transpose(0, 2, 3, 1)
    (verdict,) = session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(x)})
    graph = onnx.load(file).graph
    values = {weight.name: onnx.numpy_helper.to_array(weight) for weight in graph.initializer}
    (product,) = (node for node in graph.node if node.op_type == "MatMul")
    (bias,) = (value for value in values.values() if value.shape == (2,))
    logits = found["block16"] @ values[product.input[1]] + bias
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(verdict, expected, atol=1e-5)


def nearest_has_the_same_category(array, categories):
    """Leave-one-out accuracy of the nearest neighbour by cosine."""
    rows = array.astype(float) / np.linalg.norm(array.astype(float), axis=1, keepdims=True)
    similarity = rows @ rows.T
    np.fill_diagonal(similarity, -np.inf)
    categories = np.array(categories)
    return np.mean(categories[similarity.argmax(1)] == categories)


@pytest.mark.parametrize("name", ["efficientnet-lite0", "open-nsfw-resnet50"])
def test_trained_layers_know_the_category_better_than_pixels_and_the_untrained_twin(some, name):
    trained = features.encode(name, some, progress=False)
    twin = features.encode(name, some, weights="random", progress=False)
    pixels = features.encode("pixels", some, progress=False)
    assert twin.layers == trained.layers
    scores = {
        which: nearest_has_the_same_category(found[found.layers[-1]], some.labels)
        for which, found in {"trained": trained, "twin": twin, "pixels": pixels}.items()
    }
    assert scores["trained"] > max(scores["twin"], scores["pixels"]) + 0.1, scores
    for layer, array in twin.items():
        assert array.shape == trained[layer].shape
        spread = np.linalg.svd(array - array.mean(0), compute_uv=False)
        assert spread[2] > 1e-3 * spread[0], f"{layer} of the twin has collapsed"
