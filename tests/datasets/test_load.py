"""Every data set is what it says it is."""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import wave
import zipfile

import numpy as np
import pytest

from acclimate import datasets
from acclimate.exceptions import InputError

from .conftest import SHARED

IDX = {
    "mnist": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    "fashion_mnist": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
}


def idx_sha256(array):
    """Rebuild the published file by hand: magic number, sizes, bytes."""
    magic = 0x0800 + array.ndim
    header = struct.pack(f">I{array.ndim}I", magic, *array.shape)
    return hashlib.sha256(header + array.astype(np.uint8).tobytes()).hexdigest()


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_images_are_the_published_ones(fetch, name):
    data = fetch(name)
    assert data.X_train.shape == (60000, 28, 28)
    assert data.X_test.shape == (10000, 28, 28)
    assert data.X_train.dtype == np.uint8
    assert data.y_train.dtype == np.int64
    assert (idx_sha256(data.X_train), idx_sha256(data.y_test)) == IDX[name]
    assert len(data.class_names) == 10
    assert data.info.licence
    assert data.info.citation
    assert "60000" in data.split


def test_class_names_of_fashion_mnist(fetch):
    data = fetch("fashion_mnist")
    assert (data.class_names[0], data.class_names[9]) == ("T-shirt/top", "Ankle boot")
    # Trousers are narrow: their outer columns are darker than those of any other class.
    edges = data.X_test[:, :, :6].mean(axis=(1, 2))
    means = [edges[data.y_test == k].mean() for k in range(10)]
    assert data.class_names[int(np.argmin(means))] in {"Trouser", "Dress"}


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "optdigits", "wine", "sentiment"])
def test_second_load_opens_the_cache(fetch, name, hidden):
    first = fetch(name)
    second = datasets.load(name, offline=True)
    if isinstance(second, datasets.Dataset):
        assert isinstance(second.X_train, np.memmap)
        np.testing.assert_array_equal(first.X_test, second.X_test)
        second.X_test[0] = 77
        third = datasets.load(name, offline=True)
        np.testing.assert_array_equal(first.X_test, third.X_test)
    elif isinstance(second, datasets.TextDataset):
        np.testing.assert_array_equal(first.X, second.X)
    else:
        assert first.X.equals(second.X)


def test_usps_usual_split(fetch, monkeypatch):
    if not (SHARED / "usps.h5").is_file():
        pytest.skip("usps.h5 is not here")
    monkeypatch.setenv("ACCLIMATE_DATA", str(SHARED))
    data = fetch("usps")
    assert data.X_train.shape == (7291, 16, 16)
    assert data.X_test.shape == (2007, 16, 16)
    assert "usual" in data.split
    # Published class counts of the training part (Hastie et al., zip code data).
    counts = [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
    assert np.bincount(data.y_train).tolist() == counts
    assert data.X_train.min() == 0
    assert data.X_train.max() == 255


def test_usps_for_everyone(fetch, hidden, tmp_path):
    data = fetch("usps", data_home=tmp_path)
    assert data.X_train.shape == data.X_test.shape == (4649, 16, 16)
    assert "resampled" in data.split
    labels = np.concatenate([data.y_train, data.y_test])
    counts = [1553, 1269, 929, 824, 852, 716, 834, 792, 708, 821]
    assert np.bincount(labels).tolist() == counts
    # Upright and bright on dark: ink in a one is a column, in the middle.
    one = data.X_train[data.y_train == 1].mean(axis=0)
    assert one[4:12, 6:10].mean() > 4 * one[4:12, [0, 1, 14, 15]].mean()
    assert one.mean(axis=0).std() > one.mean(axis=1).std()


def test_optdigits_official_split(fetch):
    from sklearn.datasets import load_digits

    data = fetch("optdigits")
    assert data.X_train.shape == (3823, 64)
    assert data.X_train.max() == 16
    np.testing.assert_array_equal(data.X_test, load_digits().data)
    # Class counts of optdigits.tra, from the documentation of the data set.
    counts = [376, 389, 380, 389, 387, 376, 377, 387, 380, 382]
    assert np.bincount(data.y_train).tolist() == counts


def test_pendigits(fetch):
    data = fetch("pendigits")
    assert data.X.shape == (10992, 16)
    assert data.X.to_numpy().max() == 100
    assert np.bincount(data.y).min() > 1000


def test_heart_disease_by_hospital(fetch):
    data = fetch("heart_disease")
    assert data.domain_names() == ["cleveland", "hungary", "switzerland", "va"]
    sizes, sick = {}, {}
    for hospital in data.domain_names():
        X, y = data.domain_rows(hospital)
        sizes[hospital], sick[hospital] = len(X), int(y.sum())
    # Sizes and positives of the documentation of the data set.
    assert sizes == {"cleveland": 303, "hungary": 294, "switzerland": 123, "va": 200}
    assert sick == {"cleveland": 139, "hungary": 106, "switzerland": 115, "va": 149}
    swiss, _ = data.domain_rows("switzerland")
    assert (swiss["chol"] == 0).all()
    cleveland, _ = data.domain_rows("cleveland")
    assert int(cleveland.isna().to_numpy().sum()) <= 6 + 1
    assert cleveland["ca"].isna().sum() == 4
    assert set(data.frame().columns) >= {"hospital", "disease", "age"}
    with pytest.raises(InputError, match=r"'boston'.*cleveland"):
        data.domain_rows("boston")


def test_wine(fetch):
    data = fetch("wine")
    red, grades = data.domain_rows("red")
    assert red.shape == (1599, 11)
    assert len(data.y) == 6497
    assert np.isclose(grades.mean(), 5.636, atol=5e-4)
    assert grades.dtype == np.float64
    assert data.class_names is None


def test_sentiment(fetch):
    data = fetch("sentiment")
    assert data.domain_names() == ["amazon", "films", "nyt", "tweets"]
    assert data.X.dtype == object
    assert all(type(text) is str and text for text in data.X)
    assert data.y.dtype == np.int64
    assert data.class_names == ("negative", "positive")
    # The documentation of the data has 4200 tweets, 3708 sentences on products, 10605 snippets of
    # film reviews and 5190 of editorials; 768, 723, 533 and 2220 of them are neutral.
    sizes = {name: len(data.domain_rows(name)[1]) for name in data.domain_names()}
    assert sizes == {
        "amazon": 3708 - 723, "films": 10605 - 533, "nyt": 5190 - 2220, "tweets": 4200 - 768
    }  # fmt: skip
    films, y = data.domain_rows("films")
    assert films[0].startswith("The Rock is destined to be the 21st Century's new")
    assert y[0] == 1
    assert films[2] == "Effective but too tepid biopic"
    assert y[2] == 0
    assert any(not text.isascii() for text in films)
    assert not any("\n" in text or "\r" in text or "\t" in text for text in data.X)
    with pytest.raises(InputError, match=r"'books'.*films"):
        data.domain_rows("books")


@pytest.mark.slow
def test_sentiment_is_learnt_within_a_domain_better_than_across(fetch):
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    data = fetch("sentiment")
    model = make_pipeline(TfidfVectorizer(min_df=2), LogisticRegression(max_iter=1000))
    for here, there in (("tweets", "films"), ("films", "amazon")):
        within = cross_val_score(model, *data.domain_rows(here), cv=5).mean()
        across = model.fit(*data.domain_rows(there)).score(*data.domain_rows(here))
        assert 0.75 < within < 0.86
        assert 0.55 < across < 0.69


def test_spoken_digits(fetch, monkeypatch):
    if not (SHARED / "fsdd.zip").is_file():
        pytest.skip("fsdd.zip is not here")
    monkeypatch.setenv("ACCLIMATE_DATA", str(SHARED))
    data = fetch("spoken_digits")
    # The documentation of the data: 50 recordings of each digit by each of six speakers, 8 kHz.
    assert data.domain_names() == ["george", "jackson", "lucas", "nicolas", "theo", "yweweler"]
    for speaker in data.domain_names():
        X, y = data.domain_rows(speaker)
        assert np.bincount(y).tolist() == [50] * 10
        assert all(one.dtype == np.float32 and one.ndim == 1 for one in X)
    with (
        zipfile.ZipFile(SHARED / "fsdd.zip") as box,
        wave.open(box.open("recordings/7_lucas_0.wav")) as file,
    ):
        rate, frames = file.getframerate(), file.readframes(file.getnframes())
    row = np.flatnonzero((data.domain == "lucas") & (data.y == 7))[0]
    assert rate == data.rate
    np.testing.assert_array_equal(data.X[row] * 32768, np.frombuffer(frames, "<i2"))


@pytest.mark.slow
def test_tuxpaint(fetch):
    data = fetch("tuxpaint")
    row = data.names.tolist().index("animals/amphibians/frog")
    assert len(data.names) == len(data.captions()) == len(data.category) == 785
    assert data.category[row] == "animals"
    words = {code: data.captions(code)[row] for code in ("en", "de", "pt_BR", "sr@latin")}
    assert words == {
        "en": "A frog.", "de": "Ein Frosch.", "pt_BR": "Um sapo.", "sr@latin": "Žaba."
    }  # fmt: skip
    assert all(data.captions("en"))
    assert sum(text == "" for text in data.captions("ro")) == 785 - 760
    X = data.pictures(32)
    assert X.shape == (785, 3, 32, 32)
    corners = X[:, :, [0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == 255).all(axis=1).mean() > 0.5  # stamps lie on white
    assert X[row, 1].mean() > X[row, 2].mean()  # the frog is greener than blue
    with pytest.raises(InputError, match="'xx'"):
        data.captions("xx")
    with pytest.raises(InputError, match="at least 8"):
        data.pictures(0)
    pytest.importorskip("soundfile")
    rows, waveforms = data.speech("en")
    assert len(rows) == len(waveforms) == 65
    assert row in rows
    seconds = [len(one) / 16000 for one in waveforms]
    assert 0.3 < min(seconds) < max(seconds) < 15
    assert [len(one) for one in data.speech("en", rate=8000)[1]] == [
        -(-len(one) // 2) for one in waveforms
    ]


def test_names_and_unknown_name():
    kinds = {datasets.info(name).kind for name in datasets.names()}
    assert kinds == {"image", "tabular", "text", "sound", "paired"}
    assert datasets.info("Fashion-MNIST").name == "fashion_mnist"
    with pytest.raises(InputError, match=r"'imagenet'.*mnist"):
        datasets.load("imagenet")


def test_import_is_light():
    code = (
        "import sys, acclimate.datasets\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
