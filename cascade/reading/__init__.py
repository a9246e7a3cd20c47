"""The one reader of what models write: answers, programs, verdicts, and whether anything was said at all.

Every reading begins with what is said aloud (`thoughts`): without thinking text, the marks of chat formats, and wrapping. Then:

- `answers`: JSON as asked for, in any fence or amid prose, the last complete object with an "answer"; or plain text with marks.
- `attribution`: which lines an answer rests on, where its citations do not tell.
- `programs`: code in any fence or none, by what it should define; helpers joined, drafts, examples and trials left out.
- `verdicts`: the yes or no of a judge, from JSON, a label, the first word, the last sentence; else None, which is neither.
- `statements`: "the context lacks it" (an abstention), a refusal, and silence (no answer at all): three different things.
- `syntax`: JSON and Python as models write them.

Read in English. Not known: thoughts in prose that no mark tells from the answer, JSON with smart quotes, marks in round brackets,
a verdict that only its reasons tell. What cannot be read is said to be so, and never guessed.
"""

from cascade.reading.answers import read_draft, sound
from cascade.reading.attribution import attributed
from cascade.reading.programs import defined_names, read_program
from cascade.reading.silences import CUT_OFF, Silence, silence
from cascade.reading.syntax import NO_PYTHON, parse
from cascade.reading.thoughts import spoken
from cascade.reading.verdicts import YesOrNo, read_verdict

__all__ = [
    "CUT_OFF",
    "NO_PYTHON",
    "Silence",
    "YesOrNo",
    "attributed",
    "defined_names",
    "parse",
    "read_draft",
    "read_program",
    "read_verdict",
    "silence",
    "sound",
    "spoken",
]
