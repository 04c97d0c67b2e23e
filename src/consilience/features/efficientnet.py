"""EfficientNet-Lite (Tan & Le 2019; Google's "lite" variant of 2020), after the published architecture.

The variant has no squeeze-and-excitation, ReLU6 for swish, and a stem, first stage and head that do not
widen. Padding is TensorFlow's "same": the odd pixel goes to the right and below.
"""

from __future__ import annotations

import math
import re

from ..optional import bring
from .encoder import Encoder, prepare
from .tokens import Map

torch = bring("torch")
nn = torch.nn

# Repeats, kernel, stride, expansion, channels of each stage at width and depth 1.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
STEM, HEAD, CLASSES = 32, 1280, 1000

# The checkpoint's names and ours.
RENAMED = (
    (r"^_conv_stem\.", "stem.conv."),
    (r"^_bn0\.", "stem.norm."),
    (r"^_conv_head\.", "head.conv."),
    (r"^_bn1\.", "head.norm."),
    (r"^_fc\.", "classifier."),
    (r"^_blocks\.", "blocks."),
    (r"\._expand_conv\.", ".expand.conv."),
    (r"\._bn0\.", ".expand.norm."),
    (r"\._depthwise_conv\.", ".depthwise.conv."),
    (r"\._bn1\.", ".depthwise.norm."),
    (r"\._project_conv\.", ".project.conv."),
    (r"\._bn2\.", ".project.norm."),
)


def load(row, folder, weights, seed):
    """An encoder with the layers stem, stage1 to stage7 and head, each a map."""
    model = EfficientNetLite(row["width"], row["depth"])
    if weights == "random":
        draw_weights(model, seed)
    else:
        (file,) = row["files"]
        values = torch.load(folder / file, map_location="cpu", weights_only=True)
        model.load_state_dict({renamed(name): value for name, value in values.items()})
    model.eval()

    @torch.inference_mode()
    def encode(images):
        return [Map(x) for x in model.layers(torch.from_numpy(prepare(images, **row["input"])))]

    return Encoder("image", ["stem", *(f"stage{s}" for s in range(1, len(STAGES) + 1)), "head"], encode)


class EfficientNetLite(nn.Module):
    """Stem, seven stages of inverted bottlenecks, head, classifier."""

    def __init__(self, width, depth):
        super().__init__()
        self.stem = ConvNorm(3, STEM, kernel=3, stride=2)
        blocks, self.stage_ends, before = [], [], STEM
        for stage, (repeats, kernel, stride, expansion, channels) in enumerate(STAGES, 1):
            channels = widened(channels, width)
            if 1 < stage < len(STAGES):
                repeats = math.ceil(repeats * depth)
            for repeat in range(repeats):
                blocks.append(Bottleneck(before, channels, kernel, 1 if repeat else stride, expansion))
                before = channels
            self.stage_ends.append(len(blocks))
        self.blocks = nn.ModuleList(blocks)
        self.head = ConvNorm(before, HEAD)
        self.classifier = nn.Linear(HEAD, CLASSES)

    def layers(self, x):
        """Outputs of stem, stages and head for pictures of shape (n, 3, size, size), shallowest first."""
        x = self.stem(x)
        yield x
        for index, block in enumerate(self.blocks, 1):
            x = block(x)
            if index in self.stage_ends:
                yield x
        yield self.head(x)

    def forward(self, x):
        """Logits of shape (n, 1000)."""
        *_, x = self.layers(x)
        return self.classifier(x.mean((2, 3)))


class Bottleneck(nn.Module):
    """Expand by 1 x 1 convolution, filter each channel, project; add the input where shapes allow."""

    def __init__(self, before, after, kernel, stride, expansion):
        super().__init__()
        inside = before * expansion
        self.expand = ConvNorm(before, inside) if expansion > 1 else nn.Identity()
        self.depthwise = ConvNorm(inside, inside, kernel, stride, groups=inside)
        self.project = ConvNorm(inside, after, rectify=False)
        self.adds = stride == 1 and before == after

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.adds else y


class ConvNorm(nn.Module):
    """Convolution, batch norm and, unless told otherwise, ReLU6."""

    def __init__(self, before, after, kernel=1, stride=1, groups=1, rectify=True):
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(after, eps=1e-3)
        self.rectify = rectify

    def forward(self, x):
        (height, width), (kernel, _), (stride, _) = x.shape[2:], self.conv.kernel_size, self.conv.stride
        down, right = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in (height, width))
        x = nn.functional.pad(x, (right // 2, right - right // 2, down // 2, down - down // 2))
        x = self.norm(self.conv(x))
        return nn.functional.relu6(x) if self.rectify else x


def widened(channels, width):
    """Channels times `width`, to the nearest multiple of 8 that is not more than a tenth below."""
    target = channels * width
    rounded = max(8, int(target + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * target else rounded


def renamed(name):
    for pattern, ours in RENAMED:
        name = re.sub(pattern, ours, name)
    return name


def draw_weights(model, seed):
    """Normal weights that keep the variance (He et al. 2015); batch norms stay neutral, as torch has them."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, ConvNorm):
            gain = "relu" if module.rectify else "linear"
            nn.init.kaiming_normal_(module.conv.weight, nonlinearity=gain, generator=generator)
