"""RULER's task families, made by us from a seed at an exact length (Hsieh et al., "RULER", arXiv 2404.06654).

Needles in noise, in text and among needles; several keys, values and queries; variable tracking; common and frequent words;
questions over given paragraphs (SQuAD or HotpotQA files, not shipped). The original's essays are Paul Graham's, ours are made;
lengths are counted in o200k_base tokens. Official data files are read, and ours written in their format.
"""

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from compaction.tokens import count_tokens
from eval.errors import Unusable
from eval.long_context.haystack import paragraphs
from language.segmentation.sentences import sentence_spans

__all__ = [
    "QA_TASKS",
    "TASKS",
    "RulerSample",
    "make_samples",
    "match_all",
    "match_part",
    "read_official",
    "write_official",
]

_NOISE = "The grass is green. The sky is blue. The sun is yellow. Here we go. There and back again."
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo yu".split()
_COMMON, _COMMON_TIMES, _RARE_TIMES = 10, 30, 3
_ZETA, _FREQUENT, _CODED_LINE = 2.0, 3, 10
_TRIES = 200
_NEAR = 0.9
_PART_CHARS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RulerSample:
    """One task: its text, the question after it, and the references that a prediction must hold.

    length: what the text was made to, in tokens; of an official file, what the whole file was made to. exact: what it has, or its
    row says.
    """

    index: int
    task: str
    length: int
    exact: int
    text: str
    question: str
    outputs: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The text in parts that may be turns: its lines, long ones cut between sentences, or else words."""
        return tuple(part for line in self.text.split("\n") for part in _cut(line))

    @property
    def input(self) -> str:
        """The whole prompt, as the official format has it."""
        return f"{self.text}\n{self.question}"


def match_all(prediction: str, references: Sequence[str]) -> float:
    """Compute the official metric: the share of the references that the prediction holds, in any case of letters."""
    return sum(one.lower() in prediction.lower() for one in references) / len(references)


def match_part(prediction: str, references: Sequence[str]) -> float:
    """Compute the official metric of questions with several right answers: 1 if the prediction holds any of them."""
    return max(float(one.lower() in prediction.lower()) for one in references)


def make_samples(task: str, *, length: int, count: int, seed: int, given: Path | None = None) -> list[RulerSample]:
    """Make samples of a task, of at most `length` tokens each.

    Raises:
        KeyError: there is no such task.
        Unusable: it cannot fit, or its file is missing or in another format.
    """
    if task in QA_TASKS:
        if given is None:
            raise Unusable(f"{task} needs a file of {QA_TASKS[task]}")
        asked = _read_questions(task, given)
        return [
            _question_over(task, n, length, asked[n * max(1, len(asked) // count) % len(asked)], asked, seed)
            for n in range(count)
        ]
    return [_made(task, n, length, seed) for n in range(count)]


def read_official(file: Path, *, task: str) -> list[RulerSample]:
    """Read an official data file: a line each with `index`, `input`, `outputs` and `length`.

    Its rows differ in length by a few tokens and were made to one: the next power of two if that is near. Raises Unusable,
    naming the line.
    """
    made: dict[int, RulerSample] = {}
    for number, line in enumerate(file.read_text("utf-8").split("\n"), 1):
        if line.strip():
            try:
                one = _official(json.loads(line), task)
            except (json.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError) as fault:
                raise Unusable(f"{file}, line {number}: not in RULER's format ({fault!r})") from fault
            if one.index in made:
                raise Unusable(
                    f"{file}, line {number}: index {one.index} comes twice; a file holds one task and length"
                )
            made[one.index] = one
    if not made:
        raise Unusable(f"{file} holds no sample")
    longest = max(one.exact for one in made.values())
    power = 1 << (longest - 1).bit_length()
    length = power if longest > _NEAR * power else longest
    return [replace(one, length=length) for one in made.values()]


def _official(row: dict[str, Any], task: str) -> RulerSample:
    text, _, question = row["input"].rstrip().rpartition("\n")
    outputs = row["outputs"]
    if not (question and isinstance(outputs, list) and outputs and all(str(one).strip() for one in outputs)):
        raise ValueError("it asks nothing, or has no references")
    return RulerSample(
        index=int(row["index"]),
        task=task,
        length=int(row["length"]),
        exact=int(row["length"]),
        text=text,
        question=question + row.get("answer_prefix", ""),
        outputs=tuple(map(str, outputs)),
    )


def write_official(samples: Sequence[RulerSample]) -> str:
    """Write samples as an official data file."""
    rows = ({"index": s.index, "input": s.input, "outputs": list(s.outputs), "length": s.exact} for s in samples)
    return "".join(json.dumps(row) + "\n" for row in rows)


# making


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """A task without its length: what must be in it, what fills it up, what is asked. `filler` gives units without end."""

    needles: tuple[str, ...]
    filler: Iterator[str]
    question: str
    outputs: tuple[str, ...]
    chance: random.Random


def _made(task: str, index: int, length: int, seed: int) -> RulerSample:
    """Make one sample; chance decides again where its references would not be what the text says."""
    for attempt in range(_TRIES):
        chance = random.Random(f"{seed}/{task}/{index}/{attempt}")  # noqa: S311 - by seed
        sample = _fitted(task, index, length, TASKS[task](chance))
        if task != "fwe" or _lead(sample.text, sample.outputs):
            return sample
    raise Unusable(f"{task}: no three words lead in {length:,} tokens; it takes a longer text")


def _lead(text: str, words: Sequence[str]) -> bool:
    """Whether these are the most frequent words of a text, each more frequent than any other."""
    counts = Counter(text.split())
    return min(counts[word] for word in words) > max(
        (count for word, count in counts.items() if word not in words), default=0
    )


def _fitted(task: str, index: int, length: int, draft: _Draft) -> RulerSample:
    """Fill a draft up to its length, its needles at random depths in their order where order matters."""
    own = sum(count_tokens(f"{one}\n") for one in draft.needles) + count_tokens(draft.question) + 2
    if own > length:
        raise Unusable(f"{task} takes {own:,} tokens without any filler, more than {length:,}")
    units, lacking = _fill(draft.filler, length - own)
    if lacking > length * (1 - _NEAR):
        raise Unusable(f"{task}: the file has {length - lacking:,} tokens to ask about, fewer than {length:,}")
    places = sorted(draft.chance.randrange(len(units) + 1) for _ in draft.needles)
    for place, needle in reversed(list(zip(places, draft.needles, strict=True))):
        units.insert(place, needle)
    text = "".join(f"{unit}\n" for unit in units)
    sample = RulerSample(
        index=index, task=task, length=length, exact=length, text=text, question=draft.question, outputs=draft.outputs
    )
    return replace(sample, exact=count_tokens(sample.input))


def _fill(filler: Iterator[str], room: int) -> tuple[list[str], int]:
    """Take units while there is room, and of the first that does not fit its first sentences; and say what room is left in the end.

    Filler without end leaves none to speak of.
    """
    units: list[str] = []
    for unit in filler:
        size = count_tokens(f"{unit}\n")
        if size > room:
            while (unit := " ".join(_sentences(unit)[:-1])) and count_tokens(f"{unit}\n") > room:
                pass
            return ([*units, unit] if unit else units), 0
        units.append(unit)
        room -= size
    return units, room


def _sentences(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentence_spans(text, 0, len(text))]


def _cut(line: str) -> Iterator[str]:
    """Cut a line into parts of a bounded length, none empty."""
    part = ""
    for sentence in _sentences(line.strip()):
        pieces = [sentence] if len(sentence) <= _PART_CHARS else sentence.split()
        for piece in pieces:
            if part and len(part) + len(piece) >= _PART_CHARS:
                yield part
                part = ""
            part = f"{part} {piece}" if part else piece
    if part:
        yield part


Values = Callable[[random.Random], str]


def _number(chance: random.Random) -> str:
    return str(chance.randrange(1_000_000, 10_000_000))


def _uuid(chance: random.Random) -> str:
    return str(uuid.UUID(int=chance.getrandbits(128), version=4))


def _word(chance: random.Random, syllables: int = 3) -> str:
    return "".join(chance.choice(_SYLLABLES) for _ in range(syllables))


def _words(chance: random.Random, *, syllables: int) -> Iterator[str]:
    """Yield words of so many syllables, none twice: so none stands in another either, as each syllable is consonant and vowel."""
    taken: set[str] = set()
    while len(taken) < len(_SYLLABLES) ** syllables:
        word = _word(chance, syllables)
        if word not in taken:
            taken.add(word)
            yield word


def _key(chance: random.Random) -> str:
    return f"{_word(chance)}-{_word(chance)}"


def _needle(key: str, value: str) -> str:
    return f"One of the special magic values for {key} is: {value}."


def _needles(filler: Callable[[random.Random], Iterator[str]], values: Values, *, keys: int, asked: int, of_each: int) -> (
    Callable[[random.Random], _Draft]
):  # fmt: skip
    def make(chance: random.Random) -> _Draft:
        named = [_key(chance) for _ in range(keys)]
        held = {key: [values(chance) for _ in range(of_each)] for key in named}
        wanted = named[:asked]
        needles = [_needle(key, value) for key in named for value in held[key]]
        chance.shuffle(needles)
        return _Draft(
            needles=tuple(needles),
            filler=filler(chance),
            question=f"What are all the special magic values for {', and '.join(wanted)} mentioned in the text?",
            outputs=tuple(value for key in wanted for value in held[key]),
            chance=chance,
        )

    return make


def _noise(chance: random.Random) -> Iterator[str]:  # noqa: ARG001 - one shape for all
    while True:
        yield _NOISE


def _essay(chance: random.Random) -> Iterator[str]:
    return paragraphs(chance.randrange(1_000_000))


def _other_needles(values: Values) -> Callable[[random.Random], Iterator[str]]:
    def filler(chance: random.Random) -> Iterator[str]:
        while True:
            yield _needle(_key(chance), values(chance))

    return filler


def _tracking(chance: random.Random) -> _Draft:
    """One chain of four assignments after the first, in order."""
    names = [word.upper() for word in islice(_words(chance, syllables=3), 5)]
    value = str(chance.randrange(10_000, 100_000))
    chain = [f"VAR {names[0]} = {value}", *(f"VAR {b} = VAR {a}" for a, b in pairwise(names))]
    return _Draft(
        needles=tuple(chain),
        filler=_noise(chance),
        question=f"Find all variables that are assigned the value {value} in the text above.",
        outputs=tuple(names),
        chance=chance,
    )


def _common_words(chance: random.Random) -> _Draft:
    words = _words(chance, syllables=5)
    common = list(islice(words, _COMMON))
    needles = [word for word in common for _ in range(_COMMON_TIMES)]
    chance.shuffle(needles)
    return _Draft(
        needles=tuple(needles),
        filler=(" ".join([word] * _RARE_TIMES) for word in words),
        question=f"What are the {_COMMON} most common words in the above list?",
        outputs=tuple(common),
        chance=chance,
    )


def _frequent_words(chance: random.Random) -> _Draft:
    """Words as frequent as a zeta distribution has them; that the first three lead in fact is seen to by `_made`."""
    words = list(islice(_words(chance, syllables=5), 200))
    weights = [1 / (rank**_ZETA) for rank in range(1, len(words) + 1)]

    def coded() -> Iterator[str]:
        while True:
            yield " ".join(chance.choices(words, weights, k=_CODED_LINE))

    question = f"What are the {_FREQUENT} most frequently appearing words in the above coded text?"
    return _Draft(needles=(), filler=coded(), question=question, outputs=tuple(words[:_FREQUENT]), chance=chance)


TASKS: Mapping[str, Callable[[random.Random], _Draft]] = {
    "niah_single_1": _needles(_noise, _number, keys=1, asked=1, of_each=1),
    "niah_single_2": _needles(_essay, _number, keys=1, asked=1, of_each=1),
    "niah_single_3": _needles(_essay, _uuid, keys=1, asked=1, of_each=1),
    "niah_multikey_1": _needles(_essay, _number, keys=4, asked=1, of_each=1),
    "niah_multikey_2": _needles(_other_needles(_number), _number, keys=1, asked=1, of_each=1),
    "niah_multikey_3": _needles(_other_needles(_uuid), _uuid, keys=1, asked=1, of_each=1),
    "niah_multivalue": _needles(_essay, _number, keys=1, asked=1, of_each=4),
    "niah_multiquery": _needles(_essay, _number, keys=4, asked=4, of_each=1),
    "vt": _tracking,
    "cwe": _common_words,
    "fwe": _frequent_words,
}
QA_TASKS: Mapping[str, str] = {"qa_1": "SQuAD", "qa_2": "HotpotQA"}


Asked = tuple[str, list[str], list[str]]


def _question_over(task: str, index: int, length: int, one: Asked, others: Sequence[Asked], seed: int) -> RulerSample:
    """Make a question over its own paragraphs among others of the file."""
    chance = random.Random(f"{seed}/{task}/{index}")  # noqa: S311 - by seed
    question, answers, own = one
    filler = list(dict.fromkeys(text for _, _, texts in others for text in texts if text not in own))
    chance.shuffle(filler)
    draft = _Draft(needles=tuple(own), filler=iter(filler), question=question, outputs=tuple(answers), chance=chance)
    return _fitted(task, index, length, draft)


def _read_questions(task: str, file: Path) -> list[Asked]:
    """Read the questions that have an answer, with their paragraphs. Raises Unusable where the file is in another format."""
    try:
        read = json.loads(file.read_text("utf-8"))
        asked = list(_squad(read) if task == "qa_1" else _hotpot(read))
    except (KeyError, TypeError, json.JSONDecodeError) as fault:
        raise Unusable(f"{file} is not in the format of {QA_TASKS[task]}: {fault!r}") from fault
    if not asked:
        raise Unusable(f"{file} holds no question with an answer")
    return asked


def _squad(read: dict[str, list[dict[str, list[dict[str, object]]]]]) -> Iterator[Asked]:
    for article in read["data"]:
        for paragraph in article["paragraphs"]:
            for one in paragraph["qas"]:  # type: ignore[attr-defined]
                if not one.get("is_impossible"):
                    answers = list(dict.fromkeys(answer["text"] for answer in one["answers"]))
                    yield one["question"], answers, [str(paragraph["context"])]


def _hotpot(read: list[dict[str, object]]) -> Iterator[Asked]:
    for one in read:
        texts = [f"{title}: {''.join(sentences)}" for title, sentences in one["context"]]  # type: ignore[attr-defined]
        yield str(one["question"]), [str(one["answer"])], texts
