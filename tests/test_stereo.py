"""Generated stereo pairs: what a slow renderer sees, how views are laid out, and how hard it is."""

import numpy as np
import pytest
import stereo_objects
from sklearn.linear_model import RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from stereo_objects import make_stereo_objects, rendering
from stereo_objects.shapes import (
    BOX,
    CATEGORIES,
    CYLINDER,
    ELLIPSOID,
    RADIUS,
    Toy,
    make_toy,
)

from densernn import _threads
from densernn.errors import ParameterError

pytestmark = pytest.mark.slow  # what it tests serves one experiment

KINDS = pytest.mark.parametrize("kind", [BOX, ELLIPSOID, CYLINDER])
DARK = np.zeros((1, 3))


def rotation(seed):
    turn, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return turn * np.sign(np.linalg.det(turn))


def toy_of(*parts):
    """Make a toy of (kind, centre, axes, shade)."""
    kinds, centres, axes, shades = zip(*parts, strict=True)
    return Toy(
        np.array(kinds, np.int64),
        np.array(centres, np.float64),
        np.array(axes, np.float64),
        np.array(shades, np.float64),
    )


def ball(centre, radius=0.1, shade=1.0):
    return ELLIPSOID, centre, radius * np.eye(3), shade


def one_view(toy, elevation=30.0, azimuth=0.0, lights=DARK, side=16):
    """Return the pair of images under the first lighting."""
    return rendering.render(toy, np.array([elevation]), np.array([azimuth]), lights, side)[0, 0]


# ------------------------------------------------------------------ a slow renderer, by marching


def gauge(kind, points):
    """Return how deep points of the unit solid's space are: below 1 inside, 1 on the surface."""
    if kind == BOX:
        return np.abs(points).max(axis=-1)
    if kind == ELLIPSOID:
        return np.linalg.norm(points, axis=-1)
    return np.maximum(np.linalg.norm(points[..., :2], axis=-1), np.abs(points[..., 2]))


def depths(toy, points):
    """Return the gauge of each part at points of the toy's space: (n_parts, n_points)."""
    return np.array(
        [
            gauge(kind, np.linalg.solve(axes, (points - centre).T).T)
            for kind, centre, axes in zip(toy.kinds, toy.centres, toy.axes, strict=True)
        ]
    )


def march(toy, start, ray, reach=8.0, steps=4000):
    """Walk along a ray; return the first point inside a part and the part, or None."""
    points = start + np.linspace(1e-3, reach, steps)[:, None] * ray / np.linalg.norm(ray)
    inside = depths(toy, points) < 1
    first = np.flatnonzero(inside.any(axis=0))
    return (points[first[0]], int(np.argmax(inside[:, first[0]]))) if first.size else None


def slow_pixel(toy, eye, ray, light):
    """Return the brightness that a ray sees: Lambert's law, gradients taken by differences."""
    hit = march(toy, eye, ray)
    if hit is None:
        point = eye + (toy.floor - eye[2]) / ray[2] * ray
        normal, shade = np.array([0.0, 0.0, 1.0]), rendering.GROUND
    else:
        point, part = hit
        steps = 1e-6 * np.vstack([np.eye(3), -np.eye(3)])
        values = depths(toy, point + steps)[part]
        normal = values[:3] - values[3:]
        normal /= np.linalg.norm(normal)
        shade = toy.shades[part]
    facing = light @ normal
    if facing <= 0 or march(toy, point + 0.02 * normal, light, 3.0) is not None:
        facing = 0.0
    return shade * (rendering.AMBIENT + facing)


def slow_image(toy, elevation, camera, light, side):
    """Render the view at azimuth 0 ray by ray."""
    angle = np.radians(elevation)
    middle = np.array([np.cos(angle), 0, np.sin(angle)]) * rendering.DISTANCE
    eye = middle + np.array([0, rendering.BASELINE * (camera - 0.5), 0])
    forward = -eye / np.linalg.norm(eye)
    up = np.cross(np.array([0.0, 1.0, 0.0]), forward)
    up /= np.linalg.norm(up)
    right = np.cross(forward, up)
    n = side * rendering.OVERSAMPLING
    grid = ((np.arange(n) + 0.5) / n * 2 - 1) * rendering.FIELD / rendering.DISTANCE
    rays = np.array(
        [[slow_pixel(toy, eye, forward + x * right - y * up, light) for x in grid] for y in grid]
    )
    blocks = rays.reshape(side, rendering.OVERSAMPLING, side, rendering.OVERSAMPLING)
    return blocks.mean(axis=(1, 3))


@KINDS
@pytest.mark.parametrize("camera", [0, 1])
def test_a_slow_renderer_sees_the_same(kind, camera):
    light = np.array([0.3, -0.4, 0.5])
    toy = toy_of(
        (kind, (0.1, 0.2, -0.1), rotation(kind) * [0.3, 0.5, 0.7], 0.9),
        ((kind + 1) % 3, (0.3, -0.5, 0.1), rotation(7) * [0.3, 0.2, 0.25], 0.5),
    )
    fast = one_view(toy, 45.0, 0.0, light[None], 10)[camera]
    slow = slow_image(toy, 45.0, camera, light, 10)
    # Marching misses what it grazes, and a rounded edge of a shadow: a few pixels.
    wrong = np.abs(fast - slow) > 0.02
    assert wrong.mean() <= 0.06
    assert np.ptp(slow) > 0.5


def test_rays_along_the_axes_of_a_solid_are_no_special_case():
    for kind in (BOX, ELLIPSOID, CYLINDER):
        eye, ray = np.array([0.0, 0.0, 3.0]), np.array([0.0, 0.0, -1.0])
        for axis in range(3):
            turned = np.roll(eye, axis + 1), np.roll(ray, axis + 1)
            assert rendering._enter(kind, *turned) == 2.0
            beside = turned[0] + np.roll([1.5, 0.0, 0.0], axis + 1)
            assert rendering._enter(kind, beside, turned[1]) == np.inf
            assert rendering._enter(kind, turned[0], -turned[1]) == np.inf  # it lies behind


# ------------------------------------------------------------------------------ views and light


def test_turning_the_toy_by_hand_is_what_azimuth_does():
    toy = make_toy(3, np.random.RandomState(0))
    c, s = np.cos(np.radians(70)), np.sin(np.radians(70))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    turned = Toy(toy.kinds, toy.centres @ turn.T, turn @ toy.axes, toy.shades)
    lights = stereo_objects.LIGHTS[:1]
    np.testing.assert_allclose(
        one_view(turned, 40.0, 0.0, lights), one_view(toy, 40.0, 70.0, lights), atol=0.02
    )


def test_cameras_are_mirror_images_of_each_other():
    toy = toy_of(ball((0.2, 0, 0), 0.4), (BOX, (-0.3, 0, 0.3), np.diag([0.2, 0.5, 0.1]), 0.5))
    left, right = one_view(toy, lights=np.array([[0.5, 0.0, 0.5]]))
    np.testing.assert_allclose(left, right[:, ::-1], atol=1e-12)
    assert np.abs(left - right).max() > 0.01


@pytest.mark.parametrize(("x", "nearer"), [(0.8, True), (-0.8, False)])
def test_what_is_near_lies_further_right_for_the_left_camera(x, nearer):
    # The ground is darker than the ball and of one brightness: what is above it, is the ball.
    left, right = one_view(toy_of(ball((x, 0, 0), 0.15, 4.0)), 30.0, side=32)
    columns = np.arange(32)
    centre = [np.average(columns, weights=(v - v.min()).sum(axis=0)) for v in (left, right)]
    assert (centre[0] > centre[1] + 0.5) == nearer
    assert (centre[0] < centre[1] - 0.5) != nearer


@pytest.mark.parametrize("elevation", [30.0, 50.0, 70.0])
def test_a_high_camera_sees_more_of_what_lies_flat(elevation):
    flat = toy_of((BOX, (0, 0, 0), np.diag([0.7, 0.7, 0.01]), 4.0))
    seen = one_view(flat, elevation, side=64)[0] > 4.0 * rendering.AMBIENT - 1e-9
    share = seen.mean() * (2 * rendering.FIELD) ** 2 / 1.4**2
    assert share == pytest.approx(np.sin(np.radians(elevation)), rel=0.05)


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_shadows_fall_away_from_the_light(side):
    light = np.array([[0.0, side * 0.5, 0.4]])
    image = one_view(toy_of(ball((0, 0, 0), 0.3)), 40.0, lights=light, side=32)[0]
    ground = rendering.GROUND * rendering.AMBIENT
    shadow = np.argwhere(np.isclose(image, ground))
    assert len(shadow) > 10
    assert np.sign(shadow[:, 1].mean() - 15.5) == -side


def test_a_face_is_as_bright_as_lambert_says():
    light = np.array([[0.3, 0.2, 0.6]])
    toy = toy_of((BOX, (0, 0, 0), np.diag([0.4, 0.4, 0.4]), 0.8))
    image = one_view(toy, 40.0, lights=light, side=32)[0]
    for facing in (0.6, 0.3):  # the top, and the front
        assert np.isclose(image, 0.8 * (rendering.AMBIENT + facing)).sum() > 40


# ------------------------------------------------------------------------------------------ toys


@pytest.mark.parametrize("category", range(5), ids=CATEGORIES)
def test_toys_fit_in_their_ball_and_stand_on_their_floor(category):
    for seed in range(20):
        toy = make_toy(category, np.random.RandomState(seed))
        rough = np.random.default_rng(seed).uniform(-1, 1, (2000, 3))
        surface = [
            centre + (rough / gauge(kind, rough)[:, None]) @ axes.T
            for kind, centre, axes in zip(toy.kinds, toy.centres, toy.axes, strict=True)
        ]
        points = np.concatenate(surface)
        assert np.linalg.norm(points, axis=1).max() <= RADIUS
        assert toy.floor <= points[:, 2].min() + 1e-12
        assert points[:, 2].min() < toy.floor + 0.05
        assert ((toy.shades > 0) & (toy.shades <= 1)).all()


def test_toys_of_a_category_differ():
    for category in range(5):
        toys = [make_toy(category, np.random.RandomState(seed)) for seed in range(10)]
        assert len({toy.centres.tobytes() for toy in toys}) == 10


# -------------------------------------------------------------------------------------- data set


def keyed(data):
    """Return images by label and info."""
    rows = {}
    for X, y, info in (
        (data.X_train, data.y_train, data.info_train),
        (data.X_test, data.y_test, data.info_test),
    ):
        rows |= {(y[i], *info[i]): X[i] for i in range(len(X))}
    return rows


def test_the_plan_is_that_of_norb():
    data = make_stereo_objects(1, 9, 18, 1)
    assert data.X_train.shape == data.X_test.shape == (5 * 162, 2, 32, 32)
    assert data.X_train.dtype == np.uint8
    assert (data.y_train.dtype, data.info_train.dtype) == (np.int64, np.int32)
    assert len(keyed(data)) == 2 * 5 * 162
    assert data.info_names == ("instance", "elevation", "azimuth", "lighting")
    values = [np.unique(column).tolist() for column in data.info_test.T]
    assert values == [[1], list(range(9)), list(range(0, 36, 2)), [0]]
    assert np.unique(data.info_train[:, 0]).tolist() == [0]
    assert data.y_train[:7].tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert data.target_names == ("animal", "human", "airplane", "truck", "car")
    assert len(set(data.feature_names)) == 2048
    assert data.feature_names[1024 + 33] == "b_1_1"
    assert data.sources == {"a": slice(0, 1024), "b": slice(1024, 2048)}


def test_a_smaller_data_set_is_part_of_a_larger_one():
    small, large = keyed(make_stereo_objects(1, 2, 3, 1)), keyed(make_stereo_objects(2, 3, 6, 2))
    assert len(small) < len(large)
    for key, image in small.items():
        np.testing.assert_array_equal(image, large[key])


def test_the_seed_decides_and_the_number_of_threads_does_not(monkeypatch):
    one = make_stereo_objects(1, 2, 5, 2, seed=3)
    for n_threads in (1, 3):
        monkeypatch.setattr(_threads, "n_threads", lambda n=n_threads: n)
        np.testing.assert_array_equal(make_stereo_objects(1, 2, 5, 2, seed=3).X_test, one.X_test)
    other = make_stereo_objects(1, 2, 5, 2, seed=4)
    assert (other.X_test != one.X_test).mean() > 0.1


def test_it_is_a_problem_that_can_be_learned_but_not_at_once():
    data = make_stereo_objects()
    X, later = (part.reshape(900, -1) / 255 for part in (data.X_train, data.X_test))
    nearest = KNeighborsClassifier(1).fit(X, data.y_train).score(later, data.y_test)
    linear = RidgeClassifier(10.0).fit(X, data.y_train).score(later, data.y_test)
    assert 0.4 < linear < nearest < 0.9


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"n_instances": 0}, "n_instances must be a whole number from 1 on: it is 0"),
        ({"n_elevations": 10}, "n_elevations must be a whole number from 1 to 9: it is 10"),
        ({"n_azimuths": 2.5}, "n_azimuths must be a whole number from 1 to 18: it is 2.5"),
        ({"n_lightings": -1}, "n_lightings must be a whole number from 1 to 6"),
        ({"seed": -1}, "seed must be from 0"),
    ],
)
def test_numbers_outside_the_plan_are_refused(parameters, said):
    with pytest.raises(ParameterError, match=said):
        make_stereo_objects(**parameters)
