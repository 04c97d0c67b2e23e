"""Curves through exact moments: from mean, spread, skewness and kurtosis to a tail and a quantile.

The moments are exact; a curve through them is not. Each class says how far it was seen to hold against 200,000
random orders, and :mod:`consilience.nulls` takes permutations where none does.
"""

from __future__ import annotations

import numpy as np
from scipy import stats


class PearsonThree:
    """Shifted gamma curve through three moments; within a few per cent at p = .05 and .01 when kurtosis fits it."""

    def __init__(self, moments):
        self.curve = stats.pearson3(moments.skew, loc=moments.mean, scale=moments.sd)

    def tail(self, x):
        """P(T >= x)."""
        return float(self.curve.sf(x))

    def quantile(self, level):
        """The value that T exceeds with probability 1 - level."""
        return float(self.curve.ppf(level))


class PearsonFour:
    r"""The Pearson curve through four moments: the density with p'/p = -(z + c1) / (c0 + c1 z + c2 z²).

    Within about 15 per cent at p = .01 and .001 for |kurtosis - 3 - 1.5 skew²| up to about 1.5. Integrated on a
    grid that is fine at both ends of its support.
    """

    POINTS = 200_000

    def __init__(self, moments):
        self.mean, self.sd = moments.mean, moments.sd
        skew, b1, b2 = moments.skew, moments.skew**2, moments.kurtosis
        D = 10 * b2 - 12 * b1 - 18 or 1e-12  # exactly zero on one line, where the density is a limit of its neighbours
        c0, c1, c2 = (4 * b2 - 3 * b1) / D, skew * (b2 + 3) / D, (2 * b2 - 3 * b1 - 6) / D
        ends = np.roots(np.trim_zeros([c2, c1, c0], "f"))
        ends = ends[np.abs(ends.imag) < 1e-9].real
        low, high = max([-40.0, *ends[ends < 0]]), min([80.0, *ends[ends > 0]])
        u = (np.arange(self.POINTS) + 0.5) / self.POINTS
        self.z = low + (high - low) * u**2 * (3 - 2 * u)
        step = (high - low) * 6 * u * (1 - u) / self.POINTS
        slope = -(self.z + c1) / (c0 + c1 * self.z + c2 * self.z**2) * step
        log_density = np.concatenate([[0], np.cumsum((slope[1:] + slope[:-1]) / 2)])
        mass = np.exp(log_density - log_density.max()) * step
        self.above = np.cumsum(mass[::-1])[::-1] / mass.sum()

    def tail(self, x):
        """P(T >= x)."""
        return float(np.interp((x - self.mean) / self.sd, self.z, self.above, left=1, right=0))

    def quantile(self, level):
        """The value that T exceeds with probability 1 - level."""
        return float(self.mean + self.sd * np.interp(1 - level, self.above[::-1], self.z[::-1]))


class Lattice:
    """Counts that come in ones, twos and threes: T = N1 + 2 N2 + 3 N3 with Poisson rates fitted to three moments.

    For mutual k-NN with k <= 3, where T is a small whole number and mutual pairs make it jump by two. `valid` is
    False when the three rates give no distribution.
    """

    def __init__(self, moments):
        k1, k2, k3 = moments.mean, moments.sd**2, moments.skew * moments.sd**3
        rates = 3 * k1 - 2.5 * k2 + 0.5 * k3, (4 * k2 - 3 * k1 - k3) / 2, (k3 - 3 * k2 + 2 * k1) / 6
        size = 2 ** int(np.ceil(np.log2(8 * (k1 + 12 * moments.sd + 16))))
        turn = np.exp(-2j * np.pi * np.arange(size) / size)
        exponent = sum(rate * (turn ** (i + 1) - 1) for i, rate in enumerate(rates))
        mass = np.fft.ifft(np.exp(exponent)).real
        self.valid = bool(mass.min() > -1e-4)
        self.above = np.clip(np.cumsum(mass[::-1])[::-1], 0, 1)

    def tail(self, x):
        """P(T >= x), x a count."""
        return float(self.above[min(max(int(np.ceil(x)), 0), len(self.above) - 1)])

    def quantile(self, level):
        """The least count that T exceeds with probability at most 1 - level."""
        return float(np.argmax(np.append(self.above[1:], 0) <= 1 - level))
