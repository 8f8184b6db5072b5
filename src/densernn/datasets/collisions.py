"""Blocks of generated collisions, in columns: momenta, masses, and which of them are signal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

BLOCK = 65_536
"""Rows of a block: some 60 MB of intermediate values."""

N_COLUMNS = 28

ETA_BOUND, ETA_SHAPE = 2.5, 2.6
"""Where the detector ends; the second makes the standard deviation of eta about 1."""

PHI_SCALE = 1.74 / math.pi

W_MASS, W_WIDTH = 80.4, 2.1
"""In GeV; the second is the spread of what is taken for the mass of the lepton's W."""

LEPTON_MEAN, MISSING_MEAN = 52.5, 60.0
JET_MEANS = np.array([130.0, 80.5, 54.5, 36.0])
"""Mean transverse momenta in GeV: columns are divided by them, as the publishers' are."""

TAG_VALUES = np.array([1.0865, 1.1074, 1.2741, 1.5510])
TAG_SHARES = np.array([[0.49, 0.59], [0.50, 0.59], [0.57, 0.64], [0.65, 0.71]])
"""Of each jet: the weaker of its two tags, and the shares of rows below it and up to it."""

MASS_MEANS = np.array([112.0, 252.0, 97.5, 213.0, 170.0, 382.0, 556.0])
"""In GeV, of m_jj, m_jjj, m_lv, m_jlv, m_bb, m_wbb, m_wwbb."""

RESONANCES = (
    (4, 125.0, 0.35, 2.6),
    (5, 290.0, 0.22, 1.8),
    (1, 173.0, 0.25, -2.0),
    (3, 173.0, 0.25, -2.0),
)
"""Which mass, its centre in GeV, its width in log(mass), and what it adds to the log odds."""

OFFSET = 0.1
"""Log odds of signal far from all resonances; the share of signal is about 53 %."""

FloatArray = NDArray[np.float64]


def draw_block(seed: int, block: int) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """Generate one block of rows.

    Parameters
    ----------
    seed : int
        Of all blocks, from 0 on.
    block : int
        Number of the block, from 0 on.

    Returns
    -------
    columns : ndarray of shape (28, BLOCK)
        Features, float32, one column of the table in each row.
    labels : ndarray of shape (BLOCK,)
        1 for signal and 0 for background, int8.
    """
    rng = np.random.default_rng([seed, block])
    columns = np.empty((N_COLUMNS, BLOCK), np.float32)
    lepton, neutrino = _leptons(rng, columns)
    jets = _jets(rng, columns)
    masses = _masses(lepton, neutrino, jets)
    columns[21:] = masses / MASS_MEANS[:, None]
    odds = np.full(BLOCK, OFFSET)
    for mass, centre, width, weight in RESONANCES:
        odds += weight * np.exp(-0.5 * (np.log(masses[mass] / centre) / width) ** 2)
    labels = rng.random(BLOCK) < 1.0 / (1.0 + np.exp(-odds))
    return columns, labels.astype(np.int8)


def _momenta(pt: FloatArray, eta: FloatArray, phi: FloatArray) -> FloatArray:
    """Return energy and momentum of particles without mass, stacked on a new first axis."""
    return np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)])


def _eta(rng: np.random.Generator, *shape: int) -> FloatArray:
    return ETA_BOUND * (2.0 * rng.beta(ETA_SHAPE, ETA_SHAPE, shape) - 1.0)


def _leptons(
    rng: np.random.Generator, columns: NDArray[np.float32]
) -> tuple[FloatArray, FloatArray]:
    """Draw the lepton and the missing energy; write their columns; return both momenta."""
    pt, eta = 20.0 + rng.gamma(1.3, 25.0, BLOCK), _eta(rng, BLOCK)
    missing = rng.gamma(2.8, MISSING_MEAN / 2.8, BLOCK)
    phi = rng.uniform(-math.pi, math.pi, (2, BLOCK))
    columns[:5] = [
        pt / LEPTON_MEAN,
        eta,
        phi[0] * PHI_SCALE,
        missing / MISSING_MEAN,
        phi[1] * PHI_SCALE,
    ]
    mass = rng.normal(W_MASS, W_WIDTH, BLOCK)
    lepton = _momenta(pt, eta, phi[0])
    return lepton, _neutrino(lepton, pt, missing, phi[1], mass)


def _neutrino(
    lepton: FloatArray, pt: FloatArray, missing: FloatArray, phi: FloatArray, mass: FloatArray
) -> FloatArray:
    """Give the missing energy the momentum along the beam that makes it and the lepton a W.

    Of the two solutions of the quadratic equation the smaller one is taken; where there is none,
    the transverse mass is above that of a W, and the real part is taken, as experiments do.
    """
    x, y = missing * np.cos(phi), missing * np.sin(phi)
    half = 0.5 * mass**2 + lepton[1] * x + lepton[2] * y
    root = np.sqrt(np.maximum(half**2 - (pt * missing) ** 2, 0.0))
    middle, away = half * lepton[3], lepton[0] * root
    z = np.where(middle > 0, middle - away, middle + away) / pt**2
    return np.stack([np.sqrt(missing**2 + z**2), x, y, z])


def _jets(rng: np.random.Generator, columns: NDArray[np.float32]) -> FloatArray:
    """Draw four jets, the hardest first; write their columns.

    Returns momenta of shape (4, 4, BLOCK), components first, the jets in the order of their tags:
    those that look most like bottom quarks lead.
    """
    pt = np.sort(20.0 + rng.gamma(1.2, 46.0, (4, BLOCK)), axis=0)[::-1]
    eta, phi = _eta(rng, 4, BLOCK), rng.uniform(-math.pi, math.pi, (4, BLOCK))
    chance = rng.random((4, BLOCK))
    tag = (chance[:, None] > TAG_SHARES[:, :, None]).sum(axis=1)
    columns[5:21:4] = pt / JET_MEANS[:, None]
    columns[6:21:4] = eta
    columns[7:21:4] = phi * PHI_SCALE
    columns[8:21:4] = tag * TAG_VALUES[:, None]
    order = np.argsort(-tag, axis=0, kind="stable")
    return np.take_along_axis(_momenta(pt, eta, phi), order[None], axis=1)


def _masses(lepton: FloatArray, neutrino: FloatArray, jets: FloatArray) -> FloatArray:
    """Return the seven invariant masses in GeV, of shape (7, BLOCK)."""
    first, second = jets[:, 0], jets[:, 1]
    light, bottom, leptonic = jets[:, 2] + jets[:, 3], first + second, lepton + neutrino
    sums = (
        light,
        light + first,
        leptonic,
        leptonic + second,
        bottom,
        light + bottom,
        leptonic + light + bottom,
    )
    squares = [p[0] ** 2 - p[1] ** 2 - p[2] ** 2 - p[3] ** 2 for p in sums]
    return np.sqrt(np.maximum(squares, 0.0))
