"""Solid toys of five kinds, assembled from boxes, ellipsoids and cylinders.

x points forward, y to the left, z up; a toy is brought to its size at the end.  Proportions
are drawn, so that no two toys of a kind are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BOX, ELLIPSOID, CYLINDER = range(3)
RADIUS = 1.0
"""Every toy fits in a ball of this radius around the origin."""

SIDES = (1.0, -1.0)
"""Signs of a coordinate, for what is there on both sides."""

Vector = Sequence[float] | NDArray[np.float64]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Toy:
    """Parts of a toy; each is a unit solid under an affine map.

    Parameters
    ----------
    kinds : ndarray of shape (n_parts,), int64
        BOX is the cube [-1, 1]^3, ELLIPSOID the unit ball, CYLINDER the unit disc times [-1, 1].
    centres : ndarray of shape (n_parts, 3), float64
    axes : ndarray of shape (n_parts, 3, 3), float64
        Columns are the half axes: a point p of the unit solid lies at centre + axes @ p.
    shades : ndarray of shape (n_parts,), float64
        How much light a part gives back, in (0, 1].
    """

    kinds: NDArray[np.int64]
    centres: Matrix
    axes: Matrix
    shades: Matrix

    @property
    def floor(self) -> float:
        """Height of the lowest point: where the ground is."""
        return float((self.centres[:, 2] - self._reach()[:, 2]).min())

    def _reach(self) -> Matrix:
        """Return how far each part reaches from its centre along x, y and z."""
        box = np.abs(self.axes).sum(axis=2)
        ball = np.sqrt(np.square(self.axes).sum(axis=2))
        disc = np.sqrt(np.square(self.axes[:, :, :2]).sum(axis=2)) + np.abs(self.axes[:, :, 2])
        return np.choose(self.kinds[:, None], [box, ball, disc])


class _Builder:
    """Collects parts, drawing proportions as it goes."""

    def __init__(self, rng: np.random.RandomState) -> None:
        self.rng = rng
        self.parts: list[tuple[int, Vector, Matrix, float]] = []

    def between(self, low: float, high: float) -> float:
        """Draw a number."""
        return float(self.rng.uniform(low, high))

    def add(
        self,
        kind: int,
        centre: Vector,
        half: Vector,
        shade: float,
        turn: Matrix | None = None,
    ) -> None:
        """Add a part of a kind by its centre, half axes, shade and, if any, rotation."""
        axes = np.diag(np.asarray(half, np.float64))
        self.parts.append((kind, centre, axes if turn is None else turn @ axes, shade))

    def limb(self, start: Vector, end: Vector, radius: float, shade: float) -> None:
        """Add a cylinder from one point to another."""
        a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
        along = (b - a) / 2
        length = float(np.sqrt(along @ along))
        self.add(CYLINDER, (a + b) / 2, (radius, radius, length), shade, _turn_z_to(along / length))

    def toy(self) -> Toy:
        """Bring the parts to a size, their bounding box around the origin."""
        kinds, centres, axes, shades = (
            np.array(column) for column in zip(*self.parts, strict=True)
        )
        rough = Toy(kinds.astype(np.int64), centres, axes, shades)
        reach = rough._reach()
        low, high = (centres - reach).min(axis=0), (centres + reach).max(axis=0)
        size = RADIUS * self.between(0.85, 1.0)
        factor = 2 * size / float(np.sqrt(np.square(high - low).sum()))
        return Toy(rough.kinds, (centres - (low + high) / 2) * factor, axes * factor, shades)


def make_toy(category: int, rng: np.random.RandomState) -> Toy:
    """Make a toy of a category, an index of :data:`CATEGORIES`, with drawn proportions."""
    builder = _Builder(rng)
    list(CATEGORIES.values())[category](builder)
    return builder.toy()


def _animal(b: _Builder) -> None:
    """Add four legs, a trunk, a neck with a head, and a tail."""
    long, wide, deep = b.between(0.7, 1.3), b.between(0.22, 0.42), b.between(0.25, 0.42)
    leg, thick = b.between(0.4, 0.95), b.between(0.07, 0.14)
    shade = b.between(0.45, 1.0)
    height = leg + deep
    b.add(b.rng.choice([ELLIPSOID, CYLINDER]), (0, 0, height), (deep, wide, long), shade, _LYING)
    for x in SIDES:
        for y in SIDES:
            hip = (x * 0.7 * long, y * 0.7 * wide, height)
            swing = b.between(-0.15, 0.15)
            b.limb(hip, (hip[0] + swing, hip[1], 0), thick, shade)
    rise, reach = b.between(0.1, 0.9), b.between(0.15, 0.5)
    head = (long + reach, 0.0, height + rise)
    b.limb((0.8 * long, 0, height), head, b.between(0.1, 0.2), shade)
    size = b.between(0.16, 0.3)
    b.add(ELLIPSOID, head, (size * b.between(1.2, 1.9), size, size), shade)
    b.limb((-0.9 * long, 0, height), (-1.25 * long, 0, height + b.between(-0.5, 0.4)), 0.05, shade)


def _human(b: _Builder) -> None:
    """Add two legs, an upright trunk, a head, and two arms that may hold something."""
    leg, trunk, wide = b.between(0.7, 1.1), b.between(0.35, 0.6), b.between(0.22, 0.38)
    thick = b.between(0.09, 0.16)
    shade, cloth = b.between(0.45, 1.0), b.between(0.3, 1.0)
    kind = int(b.rng.choice([BOX, ELLIPSOID, CYLINDER]))
    shoulder = leg + 2 * trunk
    b.add(kind, (0, 0, leg + trunk), (0.65 * wide, wide, 1.1 * trunk), cloth)
    b.add(ELLIPSOID, (0, 0, shoulder + 0.28), (0.2, 0.18, b.between(0.2, 0.28)), shade)
    stride, spread = b.between(0, 0.5), b.between(0.0, 0.2)
    for side in SIDES:
        foot = (side * stride, side * (0.5 * wide + spread), 0)
        b.limb((0, side * 0.5 * wide, leg), foot, thick, shade)
        forward, up = b.between(-0.4, 0.7), b.between(-0.8, 0.5)
        hand = (forward, side * (wide + b.between(0.1, 0.5)), shoulder + up)
        b.limb((0, side * wide, shoulder - 0.1), hand, 0.7 * thick, shade)
        if b.rng.uniform() < 0.3:
            b.add(BOX, hand, [b.between(0.05, 0.3) for _ in range(3)], cloth)
    if b.rng.uniform() < 0.4:  # a base, as tin soldiers have
        b.add(CYLINDER, (0, 0, -0.04), (0.55, 0.55, 0.04), shade)


def _airplane(b: _Builder) -> None:
    """Add a long body, two wings, a tail plane and a fin, on short wheels or none."""
    long, thick = b.between(0.9, 1.3), b.between(0.1, 0.22)
    shade = b.between(0.45, 1.0)
    height = thick + b.between(0.05, 0.4)
    b.add(b.rng.choice([ELLIPSOID, CYLINDER]), (0, 0, height), (thick, thick, long), shade, _LYING)
    span, chord, sweep = b.between(0.8, 1.4), b.between(0.12, 0.3), b.between(-0.1, 0.6)
    root, level = b.between(0.0, 0.4), height + thick * b.between(-0.7, 0.9)
    for side in SIDES:
        wing = np.array([[chord, -sweep / 2, 0], [0, side * span / 2, 0], [0, 0, 0.03]])
        b.add(BOX, (root - sweep / 2, side * span / 2, level), (1, 1, 1), shade, wing)
        if b.rng.uniform() < 0.4:  # an engine under the wing
            at = (root - sweep / 2 + 0.15, side * span / 2, level - 0.1)
            b.add(CYLINDER, at, (0.08, 0.08, 0.22), shade, _LYING)
    tail = b.between(0.3, 0.55)
    up = height + (b.between(0.35, 0.6) if b.rng.uniform() < 0.3 else 0.05)
    b.add(BOX, (-0.92 * long, 0, up), (0.12, tail, 0.025), shade)
    b.add(BOX, (-0.92 * long, 0, height + 0.28), (0.13, 0.03, 0.28), shade)
    for x, y in ((0.6 * long, 0.0), (0.0, 0.3), (0.0, -0.3)):
        b.add(CYLINDER, (x, y, 0.07), (0.07, 0.07, 0.03), 0.3, _ACROSS)


def _truck(b: _Builder) -> None:
    """Add a cab in front, a load of one of several kinds behind it, and two or three axles."""
    long, wide = b.between(0.8, 1.2), b.between(0.3, 0.42)
    wheel = b.between(0.14, 0.22)
    shade, load_shade = b.between(0.4, 1.0), b.between(0.4, 1.0)
    cab, tall = b.between(0.2, 0.32), b.between(0.3, 0.5)
    bed = wheel * 1.6
    b.add(BOX, (0, 0, bed), (long, 0.9 * wide, 0.06), 0.5)
    b.add(BOX, (long - cab, 0, bed + tall), (cab, wide, tall), shade)
    if b.rng.uniform() < 0.4:  # a bonnet
        b.add(BOX, (long + 0.2, 0, bed + 0.4 * tall), (0.22, 0.85 * wide, 0.4 * tall), shade)
    room = long - cab - 0.04
    middle = -long + room
    high = tall * b.between(0.6, 1.5)
    style = int(b.rng.randint(4))
    if style == 0:  # a box
        b.add(BOX, (middle, 0, bed + high), (room, wide, high), load_shade)
    elif style == 1:  # a tank
        round_ = min(wide, high)
        centre = (middle, 0, bed + round_)
        b.add(CYLINDER, centre, (round_, round_, room), load_shade, _LYING)
    elif style == 2:  # an open bed with low walls
        for side in SIDES:
            b.add(BOX, (middle, side * wide, bed + 0.15), (room, 0.03, 0.15), load_shade)
        b.add(BOX, (middle - room, 0, bed + 0.15), (0.03, wide, 0.15), load_shade)
    else:  # a crane, or a ladder
        tip = (middle - 0.8 * room, 0, bed + b.between(0.5, 1.1))
        b.limb((middle + 0.7 * room, 0, bed + 0.2), tip, b.between(0.06, 0.12), load_shade)
        b.add(BOX, (middle + 0.5 * room, 0, bed + 0.2), (0.25, 0.8 * wide, 0.2), load_shade)
    for x in (0.7, -0.7) if b.rng.uniform() < 0.5 else (0.75, -0.45, -0.8):
        _axle(b, x * long, wide, wheel)


def _car(b: _Builder) -> None:
    """Add a low body, a cabin on it, and two axles."""
    long, wide = b.between(0.8, 1.1), b.between(0.36, 0.5)
    wheel = b.between(0.14, 0.22)
    low, cabin = b.between(0.14, 0.24), b.between(0.1, 0.24)
    shade = b.between(0.4, 1.0)
    kind = int(b.rng.choice([BOX, BOX, ELLIPSOID]))
    swell = 1.25 if kind == ELLIPSOID else 1.0
    level = 0.9 * wheel + low
    b.add(kind, (0, 0, level), (long * swell, wide * swell, low * swell), shade)
    at, room = b.between(-0.45, 0.1), b.between(0.35, 0.65)
    top = (at * long, 0, level + low + cabin * 0.8)
    if b.rng.uniform() < 0.85:  # else an open one
        roof = int(b.rng.choice([BOX, ELLIPSOID, CYLINDER]))
        turn = _ACROSS if roof == CYLINDER else None
        half = (
            (room * long, cabin * 1.3, wide * 0.85)
            if roof == CYLINDER
            else (room * long, wide * 0.85, cabin * 1.3)
        )
        b.add(roof, top, half, shade * b.between(0.6, 1.0), turn)
    if b.rng.uniform() < 0.25:  # a spoiler
        b.add(BOX, (-long, 0, level + low + 0.15), (0.1, wide, 0.02), shade)
    for x in SIDES:
        _axle(b, x * 0.62 * long, wide, wheel)


def _axle(b: _Builder, x: float, wide: float, radius: float) -> None:
    """Add two wheels."""
    for side in SIDES:
        b.add(CYLINDER, (x, side * wide, radius), (radius, radius, 0.07), 0.25, _ACROSS)


def _turn_z_to(direction: Matrix) -> Matrix:
    """Return a rotation that takes the z axis to a direction of length 1."""
    helper = np.eye(3)[int(np.argmin(np.abs(direction)))]
    first = np.cross(helper, direction)
    first /= np.sqrt(first @ first)
    return np.column_stack([first, np.cross(direction, first), direction])


_LYING = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
"""Turns z, the axis of a cylinder, to x."""
_ACROSS = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""Turns z to y."""

CATEGORIES: dict[str, Callable[[_Builder], None]] = {
    "animal": _animal,
    "human": _human,
    "airplane": _airplane,
    "truck": _truck,
    "car": _car,
}
"""In the order of small NORB's labels."""
