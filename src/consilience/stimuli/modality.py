"""What an encoder of each modality takes, read out of whatever holds it, and what identifies it.

A source is what a data set keeps of a stimulus (a file, an array, a function that makes the item); an item is what an
encoder is given. Sources are opened when an item is asked for, one at a time. Every reader refuses what cannot be
meant, a broken file or silence, with a reason that completes the sentence "... cannot be used: ".
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from io import BytesIO
from math import gcd
from pathlib import Path

import numpy as np

from ..check import InputError
from ..optional import bring

RATE = 16_000  # samples a second: what speech encoders are trained on
SILENCE = 1e-4  # of full scale, -80 dB: below it there is nothing but the noise of a converter
FILE = (str, Path, BytesIO)
DEEP = ("I", "F")  # more than 8 bits a pixel, whose white no picture library can know


def picture(source):
    """A picture as PIL image in RGB, upright, on white where it is transparent.

    `source` is a file or what is in it, a PIL image, an array of shape (height, width, 3 or 4) of uint8, or a function
    that gives one.
    """
    source = source() if callable(source) else source
    Image = bring("PIL.Image")
    try:
        if isinstance(source, FILE):
            with Image.open(source) as image:
                return on_white(image)
        return on_white(from_pixels(source) if isinstance(source, np.ndarray) else source)
    except (AttributeError, OSError, SyntaxError, TypeError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(str(error)) from error


def from_pixels(array):
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] not in (3, 4):
        raise InputError(f"it is an array of {array.dtype} and shape {array.shape}, not (height, width, 3) of uint8")
    return bring("PIL.Image").fromarray(array)


def on_white(image):
    if image.mode.startswith(DEEP):
        raise InputError(f"its pixels are of kind {image.mode!r}; save it with 8 bits a colour")
    image = bring("PIL.ImageOps").exif_transpose(image).convert("RGBA")  # a camera notes how it was held
    Image = bring("PIL.Image")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def words(source):
    """A text as it is; one of blanks alone is refused."""
    if not isinstance(source, str) or not source.strip():
        raise InputError("it is empty" if isinstance(source, str) else f"it is {source!r}, not text")
    return source


def waveform(source):
    """A sound as float32 array of shape (n_samples,), one channel, 16,000 samples a second, full scale 1.

    `source` is a file that libsndfile reads (wav, flac, ogg, mp3), an array at 16,000 samples a second, a pair (array,
    rate), or a function that gives one. Arrays are (n_samples,) or (n_samples, n_channels); integers are scaled.
    """
    source = source() if callable(source) else source
    if isinstance(source, FILE):
        samples, rate = from_file(source)
    else:
        samples, rate = source if isinstance(source, tuple) else (source, RATE)
    samples = np.asarray(samples)
    if samples.dtype.kind == "i":
        samples = samples / -float(np.iinfo(samples.dtype).min)
    if samples.dtype.kind != "f" or samples.ndim not in (1, 2):
        raise InputError(f"it is an array of {samples.dtype} and shape {samples.shape}, not of samples")
    if samples.ndim == 2:
        samples = samples.mean(1)
    if not len(samples) or not np.isfinite(samples).all():
        raise InputError("it has no samples" if not len(samples) else "it holds NaN or infinity")
    if np.abs(samples).max() < SILENCE:
        raise InputError("it is silent")
    if rate != RATE:
        common = gcd(RATE, int(rate))
        samples = bring("scipy.signal").resample_poly(samples.astype(np.float64), RATE // common, int(rate) // common)
    return np.ascontiguousarray(samples, np.float32)


def from_file(path):
    soundfile = bring("soundfile")
    try:
        return soundfile.read(path, dtype="float32")
    except (OSError, soundfile.LibsndfileError) as error:
        raise InputError(str(error)) from error


def place(source):
    """A place as (latitude, longitude) in degrees, north and east positive."""
    try:
        latitude, longitude = (float(degrees) for degrees in source)
    except (TypeError, ValueError) as error:
        raise InputError(f"it is {source!r}, not (latitude, longitude)") from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise InputError(f"{latitude}, {longitude} is nowhere: latitude is -90 to 90, longitude -180 to 180 degrees")
    return latitude, longitude


READERS = {"image": picture, "text": words, "sound": waveform, "place": place}


def digest(modality, source):
    """SHA-256 of the item as an encoder will see it: pixels on white, UTF-8, samples at 16 kHz, degrees."""
    if isinstance(source, Path) and source.is_file():
        told = source.stat()
        return digest_of_file(modality, source, told.st_mtime_ns, told.st_size)
    return hashlib.sha256(said(READERS[modality](source))).hexdigest()


@lru_cache(maxsize=100_000)
def digest_of_file(modality, path, changed, size):
    """The same for a file, remembered until it changes."""
    return hashlib.sha256(said(READERS[modality](path))).hexdigest()


def said(item):
    """The bytes of an item."""
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, tuple):
        return np.array(item, "<f8").tobytes()
    if isinstance(item, np.ndarray):
        return item.astype("<f4").tobytes()
    return b"%d %d " % item.size + item.tobytes()
