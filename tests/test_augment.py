"""Augmentation: movements of pixels beside SciPy's, and copies whatever the cut and the order."""

import numpy as np
import pytest
from scipy import ndimage
from sklearn.datasets import load_digits

from densernn import Augmentation, RNNImageClassifier, load, open_rows, save
from densernn.engine.local import run
from densernn.errors import DataError, ParameterError
from densernn.images.augment import AugmentedPass
from densernn.images.pixels import Layout
from densernn.phases import Phase
from densernn.sources.arrays import ArraySource

DIGITS = load_digits()
IMAGES, LABELS = DIGITS.images[:300], DIGITS.target[:300]
SEEDS = np.arange(400, dtype=np.uint64) * np.uint64(7919)
STILL = {"shift": 0, "rotate": 0, "scale": 0, "shear": 0, "elastic": 0}


def smooth_image(side=24):
    rng = np.random.default_rng(0)
    image = ndimage.gaussian_filter(rng.normal(size=(side, side)), 3)
    return image / np.abs(image).max()


def moved(image, n=400, **given):
    many = np.repeat(image[None, :, :, None], n, axis=0)
    return Augmentation(**STILL | given)(many, SEEDS[:n])[..., 0]


def test_without_movements_a_copy_is_the_image():
    image = smooth_image()
    np.testing.assert_array_equal(moved(image), np.float32(np.repeat(image[None], 400, axis=0)))


@pytest.mark.parametrize("size", [0.5, 2.0])
def test_a_shift_is_that_of_scipy_and_evenly_drawn(size):
    image = smooth_image()
    found = moved(image, shift=size / 24)
    steps = np.linspace(-size, size, 21)
    grid = np.stack(
        [ndimage.shift(image, (-a, -b), order=1, mode="nearest") for a in steps for b in steps]
    )
    away = np.square(grid[None] - found[:, None]).sum(axis=(2, 3))
    nearest = away.argmin(axis=1)
    assert away.min(axis=1).max() < 0.01 * np.square(image - image.mean()).sum()
    for shifts in (steps[nearest // 21], steps[nearest % 21]):
        assert abs(shifts.mean()) < 0.15 * size
        assert shifts.std() == pytest.approx(size / np.sqrt(3), rel=0.12)


def test_a_rotation_is_that_of_scipy():
    image = np.zeros((25, 25))
    image[8:17, 8:17] = smooth_image(9) + 1
    found = moved(image, rotate=20.0)
    angles = np.linspace(-20, 20, 41)
    grid = np.stack(
        [ndimage.rotate(image, a, reshape=False, order=1, mode="nearest") for a in angles]
    )
    away = np.square(grid[None] - found[:, None]).sum(axis=(2, 3))
    assert away.min(axis=1).max() < 0.02 * np.square(image).sum()
    assert angles[away.argmin(axis=1)].std() == pytest.approx(20 / np.sqrt(3), rel=0.12)


def test_an_elastic_field_moves_pixels_by_its_deviation():
    ramp = np.tile(np.arange(40.0), (40, 1))
    for image in (ramp, ramp.T):
        away = (moved(image, elastic=0.7 / 40) - image)[:, 5:-5, 5:-5]
        assert away.std() == pytest.approx(0.7, rel=0.1)
        assert abs(away.mean()) < 0.05
        smooth = np.diff(away, axis=1).std()
        assert smooth < 0.4 * 0.7  # neighbours move together


def test_scale_and_shear_keep_the_middle():
    ramp = np.tile(np.arange(31.0), (31, 1))
    for given in ({"scale": 0.1}, {"shear": 0.1}):
        found = moved(ramp, **given)
        np.testing.assert_allclose(found[:, 15, 15], 15.0, atol=1e-5)
        assert found[:, 3:-3, 3:-3].std(axis=0).max() > 0.5


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"shift": -1}, "shift must be a number from 0 on: it is -1"),
        ({"rotate": np.nan}, "rotate must be a number from 0 on"),
        ({"scale": 1.5}, "scale must be below 1, a share of the side"),
        ({"shift": 2}, "shift must be below 1, a share of the side: it is 2"),
        ({"n_copies": 0}, "n_copies must be a whole number from 1 on"),
        ({"n_knots": 3}, "n_knots must be a whole number from 4 on"),
    ],
)
def test_parameters_are_checked(given, said):
    with pytest.raises(ParameterError, match=said):
        Augmentation(**given)


class Rows(Phase):
    """A phase that keeps all rows."""

    row_bytes = 512

    def zero(self):
        return []

    def add(self, state, chunk):
        return [*state, *((chunk.copy, row.tobytes()) for row in np.float32(chunk.X))]


def test_copies_depend_on_what_an_image_holds_alone():
    layout, order = Layout((8, 8, 1)), np.random.default_rng(0).permutation(300)
    flat = IMAGES.reshape(300, 64)
    phase = AugmentedPass(Rows(), Augmentation(2), layout)
    whole = run(phase, ArraySource(flat, LABELS))
    assert len(set(whole)) == len(whole) == 900
    assert sorted({copy for copy, _ in whole}) == [0, 1, 2]
    cut = run(phase, ArraySource(flat, LABELS), chunk_bytes=17 * phase.row_bytes)
    for other in (cut, run(phase, ArraySource(flat[order], LABELS[order]))):
        assert sorted(other) == sorted(whole)
    as_bytes = run(phase, ArraySource(flat.astype(np.uint8), LABELS))
    assert sorted(as_bytes) == sorted(whole)


def small(**given):
    return RNNImageClassifier((6, 24), augment=Augmentation(2), random_state=0, **given)


def test_augmented_rows_weigh_and_are_forgotten_like_others(tmp_path):
    model = small(readout="ridge").fit(IMAGES, LABELS)
    assert model.moments_.weight == 900
    assert model.class_counts_.counts.sum() == 300
    more = small(readout="ridge").fit(IMAGES, LABELS)
    more.partial_fit(DIGITS.images[300:500], DIGITS.target[300:500])
    more.forget(DIGITS.images[300:500], DIGITS.target[300:500])
    np.testing.assert_allclose(
        more.decision_function(IMAGES), model.decision_function(IMAGES), atol=5e-4
    )
    parts = [
        model.fresh().partial_fit(IMAGES[k::2], LABELS[k::2], classes=range(10)) for k in (0, 1)
    ]
    np.testing.assert_allclose(
        parts[0].merge(parts[1]).decision_function(IMAGES),
        model.decision_function(IMAGES),
        atol=5e-4,
    )


def test_a_file_and_memory_learn_the_same_bits(tmp_path):
    flat = IMAGES.reshape(300, 64)
    path = tmp_path / "digits.csv"
    np.savetxt(path, np.column_stack([flat, LABELS]), delimiter=",", fmt="%d")
    source = open_rows(path, target=64, header=None)
    model, streamed = small().fit(flat, LABELS), small().fit(source)
    assert model.feature_map_.shift == 0  # a pixel is too much of eight
    assert model.n_iter_ > 1
    expected = model.predict_proba(flat)
    np.testing.assert_array_equal(streamed.predict_proba(source), expected)
    save(model, tmp_path / "model.skops")
    np.testing.assert_array_equal(load(tmp_path / "model.skops").predict_proba(flat), expected)


def test_a_callable_gets_images_and_seeds():
    seen = []

    def flip(images, seeds):
        seen.append((images.shape[1:], seeds.dtype))
        return images[:, :, ::-1]

    model = RNNImageClassifier((4, 8), augment=flip, random_state=0).fit(IMAGES, LABELS)
    assert model.moments_.weight == 600
    assert set(seen) == {((8, 8, 1), np.dtype(np.uint64))}
    with pytest.raises(DataError, match=r"must return images of shape \(300, 8, 8, 1\)"):
        RNNImageClassifier((4, 8), augment=lambda images, seeds: images[1:]).fit(IMAGES, LABELS)
    with pytest.raises(ParameterError, match="augment must be True, None or a callable"):
        RNNImageClassifier(augment="twice").fit(IMAGES, LABELS)


def test_copies_teach_what_movements_do_to_images():
    wide = Augmentation(4, shift=0.12, rotate=20.0)
    labels = DIGITS.target[700:1200]
    test = wide(DIGITS.images[700:1200, :, :, None], np.arange(500, dtype=np.uint64))
    for seed in range(2):
        rows = np.random.default_rng(seed).choice(700, 150, replace=False)
        few = DIGITS.images[rows], DIGITS.target[rows]
        still, moving = (
            RNNImageClassifier((8, 48), augment=augment, random_state=seed).fit(*few)
            for augment in (None, wide)
        )
        assert moving.score(test, labels) > still.score(test, labels) + 0.02


def test_predictions_are_means_over_shifted_images():
    still = RNNImageClassifier((4, 16), test_shift=0, random_state=0).fit(IMAGES, LABELS)
    moving = RNNImageClassifier((4, 16), test_shift=1, random_state=0).fit(IMAGES, LABELS)
    padded = np.pad(IMAGES, ((0, 0), (1, 1), (1, 1)), mode="edge")
    places = [(1, 1), (0, 1), (2, 1), (1, 0), (1, 2)]
    parts = [still.decision_function(padded[:, i : i + 8, j : j + 8]) for i, j in places]
    np.testing.assert_allclose(moving.decision_function(IMAGES), np.mean(parts, axis=0), atol=1e-4)
    assert moving.feature_map_.shift == 1
    with pytest.raises(ParameterError, match="test_shift must be None or a whole number"):
        RNNImageClassifier(test_shift=-1).fit(IMAGES, LABELS)
