"""Files from strangers, with right checksums: no signal, no hang, no growth, nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays
from sklearn.cluster import KMeans
from sklearn.decomposition import NMF
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier

import acclimate
from acclimate import CORAL, JDA, Domain, FineTune, NeuralClassifier, SourceOnly
from acclimate.exceptions import AcclimateError, IntegrityError
from acclimate.persistence import container
from acclimate.tables import TabularPreprocessor

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import strangers  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3)).round(2)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 1)
R = X @ np.arange(3.0)
SMALL = {"hidden": (4,), "epochs": 1, "min_steps": 5, "batch_size": 16}


def models():
    """Return fitted models of all kinds whose arrays are checked, and some of the others."""
    two = (Y > 0).astype(int)
    kinds = {
        "tree": DecisionTreeClassifier(max_depth=4), "forest": RandomForestClassifier(3),
        "boosting": GradientBoostingClassifier(n_estimators=3, max_depth=2),
        "histograms": HistGradientBoostingClassifier(max_iter=2), "svc": SVC(),
        "neighbours": KNeighborsClassifier(), "brute": KNeighborsClassifier(algorithm="brute"),
        "radius": RadiusNeighborsClassifier(3.0), "logistic": LogisticRegression(),
    }  # fmt: skip
    found = {name: SourceOnly(kind, random_state=0).fit(X, Y) for name, kind in kinds.items()}
    found["svr"] = SourceOnly(SVR()).fit(X, R)
    for name, step in (
        ("codes", OneHotEncoder(handle_unknown="ignore", sparse_output=False, min_frequency=2)),
        ("means", KMeans(3)), ("table", TabularPreprocessor()),
        ("factors", make_pipeline(OneHotEncoder(handle_unknown="ignore"), NMF(2))),
    ):  # fmt: skip
        found[name] = SourceOnly(LogisticRegression(), preprocess=step).fit(X, two)
    net = NeuralClassifier(**SMALL)
    found["network"] = FineTune(net, random_state=np.random.RandomState(0)).fit(
        X, two, target=Domain(X, two)
    )
    found["coral"] = CORAL(random_state=np.random.RandomState(1)).fit(X, two, target=Domain(X + 1))
    found["jda"] = JDA().fit(X, two, target=Domain(X + 1))
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    goal = tmp_path_factory.mktemp("good")
    for name, model in models().items():
        model.save(goal / f"{name}.m")
        np.save(goal / f"{name}.npy", X)
    return goal


def fuzz(folder, seed, cases):
    env = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "strangers.py"), str(folder), str(seed), str(cases)],
        capture_output=True, text=True, env=env, check=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    assert not found["bad"]
    assert found["slowest"] < strangers.SECONDS
    assert found["counts"]["refused"] > cases / 4
    assert found["counts"]["answered"] > 0
    return found


def evil(path, goal, node=None, **members):
    """Write a file with right checksums whose model has one more attribute, or other members."""
    held = strangers.members(path.read_bytes())
    if node is not None:
        tree = json.loads(held["model.json"])
        tree["model"]["state"]["items"].append(["zzz", node])
        held["model.json"] = json.dumps(tree).encode()
    with goal.open("wb") as stream:
        container.write(stream, {**held, **members})
    return goal


def trial(work):
    """Run ``work`` in a process of its own; return its error, its growth in MB and its seconds."""
    said, died, grew, took = strangers.child(work)
    assert not died
    return said, grew, took


def refused(path, match):
    with pytest.raises(IntegrityError, match=match):
        acclimate.load(path)


def test_boosting_with_more_trees_than_outputs(tmp_path):
    model = SourceOnly(GradientBoostingClassifier(n_estimators=3, max_depth=1)).fit(X, Y > 0)
    fitted = model.source_model_
    good = fitted.estimators_
    fitted.estimators_ = np.tile(good[:1], (1, 60))
    refused(model.save(tmp_path / "m"), "whose estimators_ is not an array of the shape")
    fitted.estimators_, fitted.n_trees_per_iteration_ = np.tile(good[:1], (1, 60)), 60
    refused(model.save(tmp_path / "m"), "whose start has other outputs")
    fitted.estimators_, fitted.n_trees_per_iteration_ = good, 1
    acclimate.load(model.save(tmp_path / "m"))


def test_trees_that_say_less_depth_or_hide_a_method(tmp_path):
    model = SourceOnly(DecisionTreeClassifier(max_depth=4)).fit(X, Y)
    tree = model.source_model_.tree_
    state = tree.__getstate__()
    tree.__setstate__({**state, "max_depth": 1})
    refused(model.save(tmp_path / "m"), "deeper than the 1 levels")
    tree.__setstate__(state)
    model.source_model_._validate_X_predict = np.negative
    refused(model.save(tmp_path / "m"), "hides its _validate_X_predict")


def test_histograms_with_narrow_or_missing_categories(tmp_path):
    def histograms():
        return SourceOnly(HistGradientBoostingClassifier(max_iter=2)).fit(X, Y)

    model = histograms()
    for predictor in (p for row in model.source_model_._predictors for p in row):
        predictor.nodes["is_categorical"] = 1 - predictor.nodes["is_leaf"]
        predictor.raw_left_cat_bitsets = np.zeros((1, 0), np.uint32)
        predictor.binned_left_cat_bitsets = np.zeros((1, 0), np.uint32)
    refused(model.save(tmp_path / "m"), "with other sets of categories")
    model = histograms()
    model.source_model_._bin_mapper.is_categorical_ = np.zeros(0, np.uint8)
    refused(model.save(tmp_path / "m"), "is_categorical_ is not an array of the shape")
    model = histograms()
    bins = model.source_model_._bin_mapper
    bins.is_categorical_ = np.ones(3, np.uint8)
    bins.bin_thresholds_ = [np.array([999.0])] * 3
    refused(model.save(tmp_path / "m"), "categories beyond 255")
    codes = np.column_stack([X[:, 0], Y, Y])
    model = SourceOnly(HistGradientBoostingClassifier(max_iter=2, categorical_features=[1, 2]))
    model.fit(codes, Y)
    loaded = acclimate.load(model.save(tmp_path / "m"))
    np.testing.assert_array_equal(loaded.predict_proba(codes), model.predict_proba(codes))
    steps = model.source_model_._preprocessor.transformers_
    steps[1] = (*steps[1][:2], np.zeros(3, bool))
    refused(model.save(tmp_path / "m"), "whose preprocessing gives other columns")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_dual_coef_", np.zeros((1, 1))), ("_intercept_", np.zeros(1)),
        ("_n_support", np.array([1, 1, 1], np.int32)), ("support_vectors_", np.zeros((5, 2))),
        ("classes_", np.arange(9)), ("support_", np.array([], np.int32)), ("_impl", "epsilon_svr"),
        ("_probA", np.zeros(7)), ("n_features_in_", 2), ("shape_fit_", (1, 3)),
    ],
)  # fmt: skip
def test_support_vectors_that_do_not_fit(tmp_path, name, value):
    model = SourceOnly(SVC()).fit(X, Y)
    setattr(model.source_model_, name, value)
    refused(model.save(tmp_path / "m"), "source_model_ is a SVC")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_fit_X", X[:, :2].copy()), ("_fit_X", X[:9].copy()), ("_y", np.full(60, 99)),
        ("_y", np.full(60, -1)), ("classes_", np.arange(1)), ("n_samples_fit_", 10**6),
        ("effective_metric_", "haversine"), ("effective_metric_params_", {"V": np.ones(1)}),
        ("n_features_in_", 1), ("_fit_method", "kd_tree"),
    ],
)  # fmt: skip
def test_neighbours_that_do_not_fit(tmp_path, name, value):
    model = SourceOnly(KNeighborsClassifier(algorithm="brute")).fit(X, Y)
    setattr(model.source_model_, name, value)
    refused(model.save(tmp_path / "m"), "source_model_ is a KNeighborsClassifier")


def test_centres_codes_words_and_indices_that_do_not_fit(tmp_path):
    from scipy import sparse
    from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer

    means, codes = KMeans(2, random_state=0).fit(X), OneHotEncoder().fit(X)
    means.cluster_centers_ = means.cluster_centers_[:, :1].copy()
    codes._n_features_outs = [0, 0, 0]
    words, hashes = CountVectorizer().fit(["a b ab", "ab cd"]), HashingVectorizer()
    words.vocabulary_ = dict.fromkeys(words.vocabulary_, 10**6)
    hashes.n_features = 0
    outside = sparse.csr_matrix(np.eye(3))
    outside.indices[0] = 10**6
    twister = np.random.RandomState(0)
    state = twister.get_state(legacy=False)
    state["state"]["pos"] = 10**6
    twister.set_state(state)
    for part, match in (
        (means, "cluster_centers_"), (codes, "codes leave its columns"), (words, "share columns"),
        (hashes, "n_features=0"), (outside, "a sparse matrix that is not valid"),
        (twister, "random generator that is not valid"),
    ):  # fmt: skip
        model = SourceOnly()
        model.held_ = part
        refused(model.save(tmp_path / "m"), match)


def test_text_and_copies_take_no_memory(folder, tmp_path):
    wide = {"is": "array", "dtype": "<U4096", "shape": [100000], "text": [""] * 100000}
    path = folder / "logistic.m"
    bomb = evil(path, tmp_path / "wide.m", wide)
    arrays = load_arrays(strangers.members(path.read_bytes())["arrays.safetensors"])
    arrays["big"] = np.zeros(1 << 20, np.uint8)
    one = {"is": "array", "shape": [1 << 20], "order": "C", "stored": "big"}
    many = evil(
        path, tmp_path / "many.m", [one] * 2000, **{"arrays.safetensors": save_arrays(arrays)}
    )
    deep = evil(path, tmp_path / "deep.m", [[{}] * 30] * 400000)
    for bad in (bomb, many, deep):
        said, grew, took = trial(lambda bad=bad: acclimate.load(bad))
        assert said.startswith("IntegrityError")
        assert grew < 20 * bad.stat().st_size / 2**20 + 50
        assert took < 5


def test_layers_are_no_more_than_their_weights(folder, tmp_path):
    for name, arguments in (
        ("Transformer", [["num_encoder_layers", 200000], ["d_model", 8], ["nhead", 1]]),
        ("LSTM", [["input_size", 2], ["hidden_size", 2], ["num_layers", 10**6]]),
        ("RNN", [["input_size", 2], ["hidden_size", 2], ["num_layers", 10**6]]),
    ):
        node = {
            "is": "layer", "class": f"torch.nn.{name}", "training": False, "weights": [],
            "frozen": [], "arguments": arguments,
        }  # fmt: skip
        bad = evil(folder / "logistic.m", tmp_path / "m", node)
        said, _, took = trial(lambda bad=bad: acclimate.load(bad))
        assert said.startswith("IntegrityError")
        assert took < 5


def test_many_layers_and_keys_with_one_hash_are_refused(folder, tmp_path):
    layer = {
        "is": "layer", "class": "torch.nn.ReLU", "training": False, "weights": [], "frozen": [],
        "arguments": [],
    }  # fmt: skip
    many = {
        **layer,
        "class": "torch.nn.Sequential",
        "children": [[str(i), layer] for i in range(20000)],
    }
    alike = {"is": "dict", "items": [[(i + 1) * (2**61 - 1), 0] for i in range(20000)]}
    for node, match in ((many, "arrays and layers take more"), (alike, "hashes may be alike")):
        bad = evil(folder / "logistic.m", tmp_path / "m", node)
        said, grew, took = trial(lambda bad=bad: acclimate.load(bad))
        assert match in said
        assert grew < 20 * bad.stat().st_size / 2**20 + 50
        assert took < 5


def test_shared_parts_that_unfold_without_end_are_refused(folder, tmp_path):
    """Each list holds the one before it twice: 40 lists, and 2 ** 40 ways through them."""
    node = {"is": "tuple", "id": 1000, "items": []}
    for i in range(40):
        node = {"is": "tuple", "id": 1001 + i, "items": [node, {"is": "again", "id": 1000 + i}]}
    refused(evil(folder / "logistic.m", tmp_path / "m", node), "points at a tuple")
    lists = {
        "__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [],
        "__id__": 1,
    }  # fmt: skip
    for i in range(2, 40):
        twice = [lists, {**lists, "content": []}]
        lists = {**lists, "content": twice, "__id__": i}
    held = strangers.members(
        strangers.members((folder / "logistic.m").read_bytes())["estimators.skops"]
    )
    schema = {**lists, "protocol": 2, "_skops_version": "0"}
    held["schema.json"] = json.dumps(schema).encode()
    bad = evil(
        folder / "logistic.m", tmp_path / "m", **{"estimators.skops": strangers.packed(held)}
    )
    said, _, took = trial(lambda: acclimate.load(bad))
    assert said.startswith("IntegrityError")
    assert took < 5


def test_a_part_behind_a_harmless_one_of_its_number_is_refused(folder, tmp_path):
    """Keys that skops does not know it passes over, and would build what stands after them."""
    held = strangers.members(
        strangers.members((folder / "logistic.m").read_bytes())["estimators.skops"]
    )
    left, array = [json.loads(held["schema.json"])], None
    while left and array is None:
        part = left.pop()
        values = part.values() if isinstance(part, dict) else part
        left += [one for one in values if isinstance(one, dict | list)]
        if isinstance(part, dict) and part.get("__loader__") == "NdArrayNode":
            array = part
    decoy = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [],
             "__id__": array["__id__"]}  # fmt: skip
    schema = json.loads(held["schema.json"])
    for both in ({"nobody reads": decoy, **schema}, {**schema, "nobody reads": decoy}):
        held["schema.json"] = json.dumps(both).encode()
        bad = evil(
            folder / "logistic.m", tmp_path / "m", **{"estimators.skops": strangers.packed(held)}
        )
        with pytest.raises(AcclimateError, match=f"two parts of the number {array['__id__']}"):
            acclimate.load(bad)


def test_settings_that_write_or_print_come_back_switched_off(tmp_path):
    drop = tmp_path / "strangers"
    pipe = Pipeline(
        [("s", StandardScaler()), ("c", LogisticRegression(verbose=1))], memory=str(drop)
    )
    model = acclimate.TargetOnly(pipe)
    network = SourceOnly(NeuralClassifier(**SMALL, checkpoint=str(drop / "c")))
    forest = SourceOnly(RandomForestClassifier(2, verbose=3, n_jobs=10**6))
    loaded = acclimate.load(model.save(tmp_path / "m"))
    loaded.fit(X, Y, target=Domain(X, Y))
    assert loaded.estimator.memory is None
    assert loaded.estimator.steps[1][1].verbose == 0
    loaded = acclimate.load(network.save(tmp_path / "m")).fit(X, Y)
    assert loaded.estimator.checkpoint is None
    forest = acclimate.load(forest.save(tmp_path / "m")).fit(X, Y).estimator
    assert (forest.verbose, forest.n_jobs) == (0, None)
    assert not drop.exists()


def test_the_same_model_gives_the_same_bytes(folder, tmp_path):
    for path in sorted(folder.glob("*.m")):
        before = strangers.members(path.read_bytes())
        noise = [bytearray(1000) for _ in range(50)]  # so that addresses differ
        after = strangers.members(acclimate.load(path).save(tmp_path / "m").read_bytes())
        assert len(noise) == 50
        assert {k for k in before if before[k] != after[k]} <= {"card.json"}, path.stem


def test_calls_that_skops_would_make_are_refused(folder, tmp_path):
    import functools

    from skops import io as skops_io

    for part in (functools.partial(np.log1p), LogisticRegression().fit, [b"bytes"]):
        bad = evil(
            folder / "logistic.m", tmp_path / "m", **{"estimators.skops": skops_io.dumps([part])}
        )
        with pytest.raises(AcclimateError, match="types that are not trusted"):
            acclimate.load(bad)


@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
def test_changed_content_does_no_harm(folder):
    fuzz(folder, 1, 40)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")
@pytest.mark.parametrize("seed", range(2, 7))
def test_changed_content_does_no_harm_in_thousands_of_files(folder, seed):
    fuzz(folder, seed, 600)
