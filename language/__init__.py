"""Language: what a text says, on its face. Words, sentences, numbers, names, dates and times; pure functions, no model.

Floor 0 of the house: recall, compaction, guards and benchmarks read a text by the same analysis, `analyse`. Knows nothing of
turns, storage or scores.
"""

from language.analysis import Analysed, analyse, forget_texts
from language.dates import DateSaid
from language.identification import Language, language_of
from language.intervals import Grain, TimeExpression, day_text
from language.names import Name
from language.numbers import Number
from language.segmentation.machine_text import readable
from language.segmentation.passages import Passage, header_of, lead_of, said_in, split_passages, split_sentences

__all__ = [
    "Analysed",
    "DateSaid",
    "Grain",
    "Language",
    "Name",
    "Number",
    "Passage",
    "TimeExpression",
    "analyse",
    "day_text",
    "forget_texts",
    "header_of",
    "language_of",
    "lead_of",
    "readable",
    "said_in",
    "split_passages",
    "split_sentences",
]
