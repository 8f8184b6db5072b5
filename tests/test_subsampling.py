"""ImageSubsampler: which pixels stay, told by a slow loop over lines and pixels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

from densernn import ImageSubsampler, RowStandardizer
from densernn.errors import DataError, ParameterError


def kept(shape, step):
    """Return the columns that stay, pixel by pixel."""
    n_images, height, width = (*[1] * (3 - len(shape)), *shape)
    return [
        (image * height + line) * width + pixel
        for image in range(n_images)
        for line in range(height)
        for pixel in range(width)
        if line % step == 0 and pixel % step == 0
    ]


@given(st.lists(st.integers(1, 7), min_size=1, max_size=3), st.integers(1, 4))
def test_every_step_th_pixel_of_every_step_th_line_stays(shape, step):
    X = np.arange(2 * np.prod(shape)).reshape(2, -1)
    few = ImageSubsampler(shape, step)
    expected = kept(shape, step)
    np.testing.assert_array_equal(few.fit_transform(X), X[:, expected])
    np.testing.assert_array_equal(few.get_support(indices=True), expected)
    assert np.prod(few.shape_) == len(expected)


def test_norb_becomes_two_images_of_32_by_32():
    X = np.random.default_rng(0).integers(0, 256, (3, 2, 96, 96)).astype(np.uint8)
    few = ImageSubsampler(shape=(2, 96, 96)).fit(X.reshape(3, -1))
    out = few.transform(X.reshape(3, -1))
    assert out.dtype == np.uint8
    assert few.shape_ == (2, 32, 32)
    np.testing.assert_array_equal(out.reshape(3, *few.shape_), X[:, :, ::3, ::3])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_the_dtype_is_kept_and_there_is_a_way_back(dtype):
    X = np.arange(1, 17).reshape(1, 16).astype(dtype)
    few = ImageSubsampler((4, 4), step=2)
    out = few.fit_transform(X)
    assert out.dtype == dtype
    assert out.tolist() == [[1, 3, 9, 11]]
    back = few.inverse_transform(out)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, np.where(few.get_support(), X, 0))


def test_without_a_shape_a_row_is_one_line():
    assert ImageSubsampler(step=2).fit_transform([[1.0, 2.0, 3.0]]).tolist() == [[1.0, 3.0]]


def test_names_are_those_of_the_pixels_kept_and_pandas_comes_out():
    names = [f"{camera}_{i}_{j}" for camera in "ab" for i in range(2) for j in range(2)]
    frame = pd.DataFrame(np.arange(16.0).reshape(2, 8), columns=names)
    few = ImageSubsampler((2, 2, 2), step=2).set_output(transform="pandas")
    assert few.fit_transform(frame).columns.tolist() == ["a_0_0", "b_0_0"]
    assert few.get_feature_names_out().tolist() == ["a_0_0", "b_0_0"]
    assert make_pipeline(few, RowStandardizer()).fit_transform(frame).shape == (2, 2)


def test_rows_of_another_width_are_refused():
    few = ImageSubsampler((2, 96, 96))
    with pytest.raises(DataError, match=r"9216 columns, but shape=.2, 96, 96. is 18432 pixels"):
        few.fit(np.zeros((1, 96 * 96)))
    few.fit(np.zeros((1, 2 * 96 * 96)))
    with pytest.raises(ValueError, match="features"):
        few.transform(np.zeros((1, 96 * 96)))


@pytest.mark.parametrize("parameters", [{"step": 0}, {"step": 1.5}, {"step": "3"}], ids=str)
def test_a_step_that_is_none_is_refused(parameters):
    with pytest.raises(ParameterError, match="step must be an integer, at least 1"):
        ImageSubsampler(**parameters).fit([[1.0, 2.0]])


@pytest.mark.parametrize("shape", [(), (0, 4), (2.0, 2), (-2, -2)], ids=str)
def test_a_shape_that_is_none_is_refused(shape):
    with pytest.raises(ParameterError, match="shape must be positive integers"):
        ImageSubsampler(shape).fit([[1.0, 2.0, 3.0, 4.0]])
