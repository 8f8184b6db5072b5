"""Numba kernel that moves the pixels of images: by shifts, rotations and smooth fields."""

from __future__ import annotations

from typing import Any

import numpy as np

from densernn._kernels import exact


@exact
def _next(state: Any) -> Any:
    """Return a random number in [0, 1) and move on (SplitMix64: Steele, Lea and Flood, 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z ^= z >> np.uint64(31)
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@exact
def _around(state: Any, size: Any) -> Any:
    """Return a random number within ``size`` of 0."""
    return (2.0 * _next(state) - 1.0) * size


@exact
def _spline(field: Any, line: Any, place: Any) -> Any:
    """Return the value of a cubic B-spline over a grid, between its second knots and last ones."""
    i, j = int(line), int(place)
    u, v = line - i, place - j
    total = 0.0
    for a in range(4):
        wide = _basis(u, a)
        for b in range(4):
            total += wide * _basis(v, b) * field[i + a, j + b]
    return total


@exact
def _basis(t: Any, k: Any) -> Any:
    if k == 0:
        return (1.0 - t) ** 3 / 6.0
    if k == 1:
        return (3.0 * t**3 - 6.0 * t**2 + 4.0) / 6.0
    if k == 2:
        return (-3.0 * t**3 + 3.0 * t**2 + 3.0 * t + 1.0) / 6.0
    return t**3 / 6.0


@exact
def warp(images: Any, seeds: Any, sizes: Any, n_knots: Any, out: Any) -> None:
    """Write moved images, each by random numbers of its own.

    Parameters
    ----------
    images, out : ndarray of shape (n_images, height, width, n_channels)
        Pixels outside an image count as the nearest ones inside.
    seeds : ndarray of shape (n_images,), uint64
    sizes : ndarray of shape (5,)
        Largest shift as a share of the side, rotation in radians, relative scale, and shear;
        standard deviation of the elastic field, as a share of the side.
    n_knots : int
        Knots a side of the elastic field, a cubic B-spline; at least 4.
    """
    n_images, height, width, n_channels = images.shape
    field = np.zeros((2, n_knots, n_knots))
    state = np.empty(1, np.uint64)
    middle_y, middle_x = (height - 1) / 2.0, (width - 1) / 2.0
    pace_y, pace_x = (n_knots - 3.0) / height, (n_knots - 3.0) / width
    # A B-spline of independent knots has less than a quarter of their variance: made up for.
    strength = sizes[4] * 2.0 * np.sqrt(3.0) * 2.1
    for b in range(n_images):
        state[0] = seeds[b]
        shift_y, shift_x = _around(state, sizes[0] * height), _around(state, sizes[0] * width)
        angle, shear = _around(state, sizes[1]), _around(state, sizes[3])
        stretch_y, stretch_x = 1.0 + _around(state, sizes[2]), 1.0 + _around(state, sizes[2])
        cos, sin = np.cos(angle), np.sin(angle)
        if sizes[4] > 0.0:
            for c in range(2):
                for i in range(n_knots):
                    for j in range(n_knots):
                        field[c, i, j] = (_next(state) - 0.5) * strength
        for i in range(height):
            for j in range(width):
                y, x = i - middle_y, j - middle_x
                from_y = (cos * y - sin * x) * stretch_y + middle_y + shift_y
                from_x = (sin * y + cos * x + shear * y) * stretch_x + middle_x + shift_x
                if sizes[4] > 0.0:
                    from_y += _spline(field[0], i * pace_y, j * pace_x) * height
                    from_x += _spline(field[1], i * pace_y, j * pace_x) * width
                from_y = min(max(from_y, 0.0), height - 1.0)
                from_x = min(max(from_x, 0.0), width - 1.0)
                top, left = int(from_y), int(from_x)
                bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
                down, across = from_y - top, from_x - left
                for c in range(n_channels):
                    above = (1.0 - across) * images[b, top, left, c]
                    above += across * images[b, top, right, c]
                    below = (1.0 - across) * images[b, bottom, left, c]
                    below += across * images[b, bottom, right, c]
                    out[b, i, j, c] = (1.0 - down) * above + down * below
