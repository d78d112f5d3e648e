"""Topics: groups of words that go together, and whether they do so beyond chance."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import csr_matrix
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer

Floats = NDArray[np.float64]

STABLE = 0.7
"""Cosine of a topic with its like on random halves from which on it has a name."""

TOP_WORDS = 5
_N_TOPICS = (3, 5, 8, 12, 18, 26, 36)
_LEAST_WEIGHT = 0.2
"""Weight of its largest topic below which a document belongs to none; its length is 1."""

_N_HALVES = 6
_N_SHUFFLED = 19


@dataclass(frozen=True, eq=False)
class Topics:
    """Topics of documents.

    Attributes
    ----------
    words : (K, V) weights of the vocabulary, each row of length 1.
    documents : (D, K) weights of the documents.
    stability : (K,) cosine with the topics of random halves that are most alike, 0-1.
    coherence : (K,) how much more often the top words meet than by chance, in logs.
    chance : the coherence that shuffled words reach in one of twenty cases.
    """

    words: Floats
    documents: Floats
    stability: Floats
    coherence: Floats
    chance: float

    @property
    def of_documents(self) -> NDArray[np.intp]:
        """(D,) the topic of each document, -1 for none."""
        largest = self.documents.argmax(axis=1)
        return np.where(self.documents.max(axis=1) >= _LEAST_WEIGHT, largest, -1)

    @property
    def is_named(self) -> NDArray[np.bool_]:
        """(K,) whether a topic is stable and more than chance."""
        return (self.stability >= STABLE) & (self.coherence > self.chance)


def find_topics(counts: csr_matrix, *, random_state: int) -> Topics:
    """Find as many topics as are stable.

    Non-negative factors of the TF-IDF weights are fitted for several numbers of topics and refitted
    on random halves; the number grows as long as more topics are stable. The same on
    documents whose words were shuffled among them says what chance makes of word frequencies alone.

    Parameters
    ----------
    counts : (D, V) whether a word is in a document; no empty rows.
    random_state : seed.

    Source: Lee & Seung (1999), Nature 401, 788-791; Greene, O'Callaghan & Cunningham (2014), ECML
    PKDD, LNCS 8724, 498-513 (stability by resampling).
    """
    weights = TfidfTransformer().fit_transform(counts)
    most = min(*weights.shape) // 2
    best = _with_stability(weights, _N_TOPICS[0], random_state)
    for n in [n for n in _N_TOPICS[1:] if n <= most]:
        found = _with_stability(weights, n, random_state)
        if _n_stable(found) < _n_stable(best):
            break
        best = found if _n_stable(found) > _n_stable(best) else best
    words, documents, stability = best
    generator = np.random.default_rng([random_state, 0])
    chance = [_shuffled_coherence(counts, len(words), generator) for _ in range(_N_SHUFFLED)]
    return Topics(words, documents, stability, _coherence(counts, words), float(max(chance)))


def _factor(weights: csr_matrix, n: int) -> tuple[Floats, Floats]:
    """Return word weights (K, V), rows of length 1, and document weights (D, K)."""
    model = NMF(n, init="nndsvda", max_iter=200, tol=1e-3, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # what is not settled is not stable
        documents = model.fit_transform(weights)
    length = np.maximum(np.linalg.norm(model.components_, axis=1), 1e-12)
    return model.components_ / length[:, None], documents * length


def _n_stable(found: tuple[Floats, Floats, Floats]) -> int:
    return int((found[2] >= STABLE).sum())


def _with_stability(
    weights: csr_matrix, n: int, random_state: int
) -> tuple[Floats, Floats, Floats]:
    """Fit topics: words, documents, and stability on random halves."""
    generator = np.random.default_rng([random_state, n])
    words, documents = _factor(weights, n)
    alike = []
    for _ in range(_N_HALVES):
        order = generator.permutation(weights.shape[0])
        first, second = (
            _most_alike(words, _factor(weights[half], n)[0]) for half in np.array_split(order, 2)
        )
        alike.append((first * second).sum(axis=1))
    return words, documents, np.mean(alike, axis=0)


def _most_alike(words: Floats, others: Floats) -> Floats:
    """Order other topics as these, one to one."""
    return np.asarray(others[linear_sum_assignment(-(words @ others.T))[1]])


def _coherence(counts: csr_matrix, words: Floats) -> Floats:
    """Average log((joint + 1) D / (n1 n2 + D)) over pairs of each topic's top words."""
    n = counts.shape[0]
    top = np.argsort(-words, axis=1)[:, :TOP_WORDS]
    pairs = np.triu_indices(top.shape[1], 1)
    found = []
    for columns in top:
        own = counts[:, columns].toarray().astype(float)
        joint, size = own.T @ own, own.sum(axis=0)
        lift = (joint + 1) * n / (np.outer(size, size) + n)
        found.append(np.log(lift)[pairs].mean())
    return np.array(found)


def _shuffled_coherence(counts: csr_matrix, n: int, generator: np.random.Generator) -> float:
    """Return the largest coherence of topics of documents whose words were shuffled."""
    columns = counts.tocsc(copy=True)
    for word in range(columns.shape[1]):
        start, end = columns.indptr[word : word + 2]
        rows = generator.choice(columns.shape[0], end - start, replace=False)
        columns.indices[start:end] = np.sort(rows)
    shuffled = columns.tocsr()
    shuffled = shuffled[np.diff(shuffled.indptr) > 0]
    words, _ = _factor(TfidfTransformer().fit_transform(shuffled), n)
    return float(_coherence(shuffled, words).max())
