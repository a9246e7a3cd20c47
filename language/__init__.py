"""Language: what a text says, on its face. Words, sentences, numbers, names, dates and times; pure functions, no model.

Floor 0 of the house: recall, compaction, guards and benchmarks read a text by the same analysis, `analyse`. Knows nothing of
turns, storage or scores.
"""

from language.analysis import Analysed, analyse, forget_texts
from language.dates import DateSaid
from language.names import Name
from language.numbers import Number
from language.sentences import Passage, split_passages, split_sentences
from language.times import Grain, TimeExpression, day_text

__all__ = [
    "Analysed",
    "DateSaid",
    "Grain",
    "Name",
    "Number",
    "Passage",
    "TimeExpression",
    "analyse",
    "day_text",
    "forget_texts",
    "split_passages",
    "split_sentences",
]
