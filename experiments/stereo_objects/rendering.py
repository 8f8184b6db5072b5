"""Cast rays on solid toys: two cameras, Lambert's shading, shadows on toy and ground.

Every pixel is worked out by itself, from its own rays, with rounding as written: images do not
depend on threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from densernn import _kernels
from densernn._threads import run_blocks
from stereo_objects.shapes import BOX, ELLIPSOID, RADIUS, Toy

OVERSAMPLING = 2
"""Rays along each side of a pixel, averaged against jagged edges."""
DISTANCE = 5.0
"""Of the cameras from the middle of the toy, in radii of the toy."""
BASELINE = 0.6
"""Distance between the cameras; both look at the middle of the toy."""
FIELD = 1.05
"""Half the width of what a camera sees at that distance."""
GROUND = 0.62
"""How much light the ground gives back."""
AMBIENT = 0.3
"""Light that comes from everywhere."""

Float64Array = NDArray[np.float64]


def render(
    toy: Toy,
    elevations: Float64Array,
    azimuths: Float64Array,
    lights: Float64Array,
    side: int,
) -> Float64Array:
    """Return the images of a toy, in poses and under lightings.

    Parameters
    ----------
    toy : Toy
    elevations, azimuths : ndarray of shape (n_poses,)
        In degrees: of the cameras above the ground, and of the toy, turned about the vertical.
    lights : ndarray of shape (n_lightings, 3)
        Where the light of each lighting comes from: a direction in the room, in which the
        cameras stand at x > 0, times the strength of the light.
    side : int
        Pixels along each side of an image.

    Returns
    -------
    ndarray of shape (n_poses, n_lightings, 2, side, side), float64
        Brightness, 1 being that of a white surface that faces a light of strength 1; the first
        camera is the left one.

    Notes
    -----
    Cost: some milliseconds for each pose; lightings share the search for what a ray meets.
    """
    # All is done in the coordinates of the toy, around which cameras and lights turn.
    turns = _turns(azimuths)
    eyes, frames = _cameras(elevations)
    eyes = np.einsum("pij,pcj->pci", turns, eyes, order="C")
    frames = np.einsum("pij,pckj->pcki", turns, frames, order="C")
    beams = np.einsum("pij,lj->pli", turns, lights, order="C")
    solids = (toy.kinds, toy.centres, np.linalg.inv(toy.axes), toy.shades, toy.floor)
    images = np.empty((len(turns), len(lights), 2, side, side))
    run_blocks(
        lambda i, j: _render(*solids, eyes[i:j], frames[i:j], beams[i:j], images[i:j]),
        len(images),
    )
    return images


def _cameras(elevations: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Return where the cameras are, and the directions right, up and forward of each.

    Their shapes are (n_poses, 2, 3) and (n_poses, 2, 3, 3).
    """
    angle = np.deg2rad(elevations)
    middle = DISTANCE * np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], axis=-1)
    # From x > 0, looking along -x, the right is at positive y; cameras turn but do not roll.
    side = np.array([0.0, 1.0, 0.0])
    eyes = np.stack([middle - side * BASELINE / 2, middle + side * BASELINE / 2], axis=1)
    forward = -eyes / np.linalg.norm(eyes, axis=-1, keepdims=True)
    right = side - forward[..., 1:2] * forward
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    return eyes, np.stack([right, np.cross(right, forward), forward], axis=2)


def _turns(azimuths: Float64Array) -> Float64Array:
    """Return the matrices that take directions in the room to those seen from the turned toy."""
    cos, sin = np.cos(np.deg2rad(azimuths)), np.sin(np.deg2rad(azimuths))
    zero, one = np.zeros_like(cos), np.ones_like(cos)
    rows = [[cos, sin, zero], [-sin, cos, zero], [zero, zero, one]]
    return np.moveaxis(np.array(rows), -1, 0)


@_kernels.exact
def _dot(a: Any, b: Any) -> Any:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@_kernels.exact
def _slab(origin: Any, ray: Any, near: Any, far: Any) -> Any:
    """Return the part of ``[near, far]`` in which a ray lies in [-1, 1] along one axis."""
    if ray == 0.0:
        return (near, far) if abs(origin) <= 1.0 else (np.inf, -np.inf)
    one, two = (-1.0 - origin) / ray, (1.0 - origin) / ray
    return max(near, min(one, two)), min(far, max(one, two))


@_kernels.exact
def _round(a: Any, b: Any, c: Any, near: Any, far: Any) -> Any:
    """Return the part of ``[near, far]`` where a t^2 + 2 b t + c <= 0, a >= 0."""
    if a == 0.0:
        return (near, far) if c <= 0.0 else (np.inf, -np.inf)
    inside = b * b - a * c
    if inside <= 0.0:
        return np.inf, -np.inf
    root = np.sqrt(inside)
    return max(near, (-b - root) / a), min(far, (-b + root) / a)


@_kernels.exact
def _enter(kind: Any, origin: Any, ray: Any) -> Any:
    """Return how far along a ray it enters a unit solid; infinity if it never does.

    All solids are convex: a ray is inside of them between two points.
    """
    near, far = -np.inf, np.inf
    if kind == BOX:
        for axis in range(3):
            near, far = _slab(origin[axis], ray[axis], near, far)
    elif kind == ELLIPSOID:
        c = _dot(origin, origin) - 1.0
        near, far = _round(_dot(ray, ray), _dot(ray, origin), c, near, far)
    else:
        a = ray[0] * ray[0] + ray[1] * ray[1]
        b = ray[0] * origin[0] + ray[1] * origin[1]
        c = origin[0] * origin[0] + origin[1] * origin[1] - 1.0
        near, far = _round(a, b, c, near, far)
        near, far = _slab(origin[2], ray[2], near, far)
    return near if 0.0 < near < far else np.inf


@_kernels.exact
def _meet(kinds: Any, centres: Any, maps: Any, origin: Any, ray: Any, work: Any) -> Any:
    """Return how far along a ray the nearest part is, and which one; infinity and -1 if none."""
    nearest, part = np.inf, -1
    # Most rays pass the ball around the whole toy.
    along = _dot(origin, ray)
    outside = _dot(origin, origin) - RADIUS * RADIUS
    if outside > 0.0 and (along >= 0.0 or along * along < outside * _dot(ray, ray)):
        return nearest, part
    for k in range(kinds.size):
        for i in range(3):
            work[2, i] = origin[i] - centres[k, i]
        for i in range(3):
            work[0, i] = _dot(maps[k, i], work[2])
            work[1, i] = _dot(maps[k, i], ray)
        distance = _enter(kinds[k], work[0], work[1])
        if distance < nearest:
            nearest, part = distance, k
    return nearest, part


@_kernels.exact
def _normal(kind: Any, centre: Any, inverse: Any, point: Any, work: Any, out: Any) -> None:
    """Write the outward normal of a part at a point of its surface, of length 1.

    Where an affine map takes a solid, the transpose of its inverse takes normals.
    """
    place, local = work[0], work[1]
    for i in range(3):
        work[2, i] = point[i] - centre[i]
    for i in range(3):
        place[i] = _dot(inverse[i], work[2])
        local[i] = 0.0
    if kind == ELLIPSOID:
        local[:] = place
    elif kind == BOX:
        face = np.argmax(np.abs(place))
        local[face] = np.sign(place[face])
    elif abs(place[2]) > np.sqrt(place[0] * place[0] + place[1] * place[1]):
        local[2] = np.sign(place[2])
    else:
        local[:2] = place[:2]
    for j in range(3):
        out[j] = inverse[0, j] * local[0] + inverse[1, j] * local[1] + inverse[2, j] * local[2]
    length = np.sqrt(_dot(out, out))
    for j in range(3):
        out[j] /= length


@_kernels.exact
def _surface(
    kinds: Any, centres: Any, maps: Any, shades: Any, floor: Any, eye: Any, ray: Any, work: Any
) -> Any:
    """Find what a ray meets, and return how much light the surface there gives back.

    The point goes into ``work[3]``, the normal into ``work[4]``.  The ground is met where no part
    is.
    """
    point, normal = work[3], work[4]
    distance, part = _meet(kinds, centres, maps, eye, ray, work)
    if part < 0:
        distance = (floor - eye[2]) / ray[2]
    for i in range(3):
        point[i] = eye[i] + distance * ray[i]
    if part < 0:
        normal[0], normal[1], normal[2] = 0.0, 0.0, 1.0
        return GROUND
    _normal(kinds[part], centres[part], maps[part], point, work, normal)
    return shades[part]


@_kernels.exact
def _light(kinds: Any, centres: Any, maps: Any, beam: Any, work: Any) -> Any:
    """Return the light that falls on ``work[3]``, whose normal is ``work[4]``, by Lambert's law."""
    facing = _dot(beam, work[4])
    if facing <= 0.0:
        return AMBIENT
    for i in range(3):  # off the surface, which must not hide the light from itself
        work[5, i] = work[3, i] + 1e-4 * work[4, i]
    _, hidden = _meet(kinds, centres, maps, work[5], beam, work)
    return AMBIENT + facing if hidden < 0 else AMBIENT


@_kernels.exact
def _render(
    kinds: Any,
    centres: Any,
    maps: Any,
    shades: Any,
    floor: Any,
    eyes: Any,
    frames: Any,
    beams: Any,
    images: Any,
) -> None:
    """Write images of poses, ray by ray."""
    n_rays = images.shape[-1] * OVERSAMPLING
    ray, work = np.empty(3), np.empty((6, 3))
    images[:] = 0.0
    for index in range(images.shape[0] * 2 * n_rays * n_rays):
        column, rest = index % n_rays, index // n_rays
        row, view = rest % n_rays, rest // n_rays
        pose, camera = view // 2, view % 2
        right = ((2.0 * column + 1.0) / n_rays - 1.0) * FIELD / DISTANCE
        up = (1.0 - (2.0 * row + 1.0) / n_rays) * FIELD / DISTANCE
        frame = frames[pose, camera]
        for i in range(3):
            ray[i] = right * frame[0, i] + up * frame[1, i] + frame[2, i]
        eye = eyes[pose, camera]
        shade = _surface(kinds, centres, maps, shades, floor, eye, ray, work)
        for lighting in range(beams.shape[1]):
            light = _light(kinds, centres, maps, beams[pose, lighting], work)
            pixel = images[pose, lighting, camera, row // OVERSAMPLING]
            pixel[column // OVERSAMPLING] += shade * light / OVERSAMPLING**2
