"""Abstentions: a reply that states, and does nothing else, that the context does not hold the answer.

Known are English sentences by their pattern: "unknown", "not in memory", "the lines do not say where", "it is not mentioned",
"there is no information about it", "I cannot tell from the context". An apology may stand before them, and after them what the
lines say instead. Of other languages our own fixed sentence is known, and a few more (`other_languages`). A sentence that denies
something of the world ("It is not in Oslo") is an answer.
"""

import re

from cascade.fixed_sentences import is_not_in_memory
from cascade.reading.other_languages import lacks_elsewhere

__all__ = ["APOLOGY", "lacks_answer", "plain_sentences"]

APOLOGY = (
    r"(?:(?:i'm|i am|we're)\s+(?:\w+\s+){0,2}sorry|sorry|i apologi[sz]e|(?:my )?apologies|unfortunately|regrettably)"
)
_APOLOGISES = re.compile(rf"{APOLOGY}[,.:]?\s*(?:but|however|and)?,?\s*", re.IGNORECASE)

# The context, as models call it.
_SOURCE = (
    r"(?:(?:any|all|none) of )?(?:(?:the|these|those|this|any|your|my|our|that|either)\s+)?"
    r"(?:(?:given|provided|available|above|shown|stored|relevant|retrieved|previous|past|supplied|memory|conversation|context"
    r"|chat|present|current|cited|quoted|listed)\s+(?:of\s+)?)*"
    r"(?:memory|memories|context|lines?|evidence|conversations?|texts?|passages?|excerpts?|history|records?|information|data"
    r"|notes?|messages?|chats?|transcripts?|documents?|turns?|sources?|material|quotes?|dialogues?)"
    r"(?: (?:above|provided|given|shown|(?:that )?(?:i (?:was|were|have been) (?:given|shown|provided with)|i have|i can see"
    r"|you (?:gave|provided|shared|sent)(?: me)?|(?:was|were) (?:given|provided|shared))))?"
)
_WITHIN = rf"(?:\s(?:in|by|within|from|on|anywhere in|based on|with|according to|given|using)\s{_SOURCE})"
_ASIDE = r"(?:\s(?:explicitly|directly|clearly|here|anywhere|at all|yet))*"
_REST = r"\b[^.!?]{0,200}"
_ASKED = r"(?:\s(?:where|when|what|who|whom|whose|which|why|how|whether|if)\b[^.!?]{0,160})?"
# What a context does, and what is done in it.
_TELLS = (
    r"(?:mention|say|state|tell|specif(?:y|ie)|contain|include|provide|give|hold|answer|indicate|reveal|show|describe|discuss"
    r"|name|address|cover|disclose|clarify|record|speak of|refer to|have (?:that|this|the|any|enough))s?"
)
_SAY = r"(?:say|mention|specify|specifie|state|disclose|reveal|indicate)s?"
_SAID = r"(?:mentioned|stated|specified|provided|said|told|known|disclosed|indicated|recorded)"
_THERE = rf"(?:{_SAID}|found|given|available|included|present|revealed|described|answered|discussed)"
_MATTER = r"(?:\w+ )?(?:answer|information|info|mention|details?|indication|reference|record|evidence|data|context)"
_IT = r"(?:it|that|this)"
_THE_ANSWER = (
    r"(?:the answer|the question|(?:the|this|that|such|her|his|their) (?:information|question|detail|fact|answer|topic)"
    r"(?: you [^.]{1,30})?)"
)
_NOT = r"(?: not|n't| never)"
_IS_NOT = rf"(?:is|was|are|were|has|have){_NOT}(?: been)?"
_CANNOT = r"(?:can ?not|can't|could not|couldn't|unable to|not able to)"
_I = r"(?:(?:i|we)(?:'m| am| was|'re| are)? )"
_DONE = r"(?:determined|answered|inferred|established|identified|concluded)"

_LACKS = re.compile(
    "|".join(
        (
            r"null|none|nil|unknown|n/?a|not applicable|undefined|un(?:answerable|specified|determined)",
            rf"(?:i'm |i am |it is )?(?:not sure|unclear|unknown){_WITHIN}?{_ASKED}{_WITHIN}?",
            r"(?:the|my) answer is (?:null|none|unknown|not known|not available)",
            rf"(?:insufficient|not enough) {_MATTER}(?:\s[^.!?]{{0,120}})?",
            # not said
            rf"not (?:in|part of) {_SOURCE}",
            rf"not (?:{_SAID}|given){_ASIDE}{_WITHIN}?|not {_THERE}{_ASIDE}{_WITHIN}",
            rf"(?:{_IT}|{_THE_ANSWER}) {_IS_NOT}{_ASIDE} (?:in|part of) {_SOURCE}",
            rf"{_IT} {_IS_NOT}{_ASIDE} {_SAID}{_ASIDE}{_WITHIN}?{_ASKED}",
            rf"{_THE_ANSWER} {_IS_NOT}{_ASIDE} {_THERE}{_ASIDE}{_WITHIN}?{_ASKED}",
            rf"[\w' -]{{1,80}} {_IS_NOT}{_ASIDE} {_THERE}{_ASIDE}{_WITHIN}",
            # the context does not say
            rf"{_SOURCE} (?:do|does|did|can|could)(?: not|n't) (?:\w+ly )?{_TELLS}{_REST}|{_SOURCE} cannot {_TELLS}{_REST}",
            rf"{_SOURCE} (?:is|are) silent{_REST}",
            rf"(?:none of|nothing in|no part of) {_SOURCE} (?:\w+ly )?{_TELLS}{_REST}",
            rf"no (?:lines?|memory|message|turn) {_TELLS}{_REST}",
            rf"no (?:\w+ )?(?:lines?|memories|messages?|turns?)(?: (?:is|are))?(?: found| available| relevant)?{_WITHIN}?",
            rf"[\w' -]{{1,60}} (?:(?:does|do|did)(?: not|n't)|never) {_SAY}(?: {_IT})?{_ASKED}",
            # there is none
            rf"there (?:is|are)(?: no|n't any| not any|n't enough| not enough) "
            rf"(?:\w+ )?(?:answer|information|info|mention|indication|reference){_REST}",
            rf"there (?:is|are) no {_MATTER}{_REST}{_WITHIN}",
            rf"there is(?: nothing|n't anything| not anything)(?:{_WITHIN}{_REST}| (?:about|regarding|that (?:says|tells)){_REST})",
            rf"there is no way (?:to|of) (?:know|tell|say)\w*{_REST}",
            rf"no {_MATTER}(?: (?:is|was|are|were|has been|could be|can be))? (?:{_THERE}|exists?|there){_ASIDE}{_WITHIN}?{_ASKED}",
            r"no (?:\w+ )?(?:answer|information|info|mention|details?|reference|indication)"
            r"(?: (?:about|on|regarding|for|of) [^.!?]{1,80})?",
            # the model cannot tell
            rf"(?:(?:{_IT}|{_THE_ANSWER}) )?{_CANNOT} be (?:{_DONE}{_REST}|(?:found|known){_REST}{_WITHIN})",
            rf"{_I}(?:do not|don't|did not|didn't) know{_WITHIN}?(?: (?:the answer|that|this))?{_ASKED}",
            rf"{_I}(?:do not|don't) have (?:access to )?(?:that|any|enough|the|this|sufficient|such) {_MATTER}"
            rf"(?: (?:about|on|regarding|to|for|in|of|from|that|available){_REST})?",
            rf"{_I}?(?:{_CANNOT}|did not|didn't|do not|don't)"
            rf" (?:find|see|locate|answer|say|confirm|determine|tell|infer|know|establish){_REST}{_WITHIN}{_ASKED}",
            rf"{_I}?{_CANNOT} (?:determine|infer|establish){_REST}",
            rf"{_I}(?:{_CANNOT}|do not|don't|did not|didn't) (?:see|find|spot|have|recall|locate) "
            rf"(?:any|a|anything in|one|a single) "
            rf"(?:\w+ )?(?:lines?|mention|references?|memor(?:y|ies)|records?|notes?|messages?|statements?|{_SOURCE})\b{_REST}",
        )
    ),
    re.IGNORECASE,
)
_ACCORDING = re.compile(rf"(?:based on|according to|given|from|in|within) {_SOURCE}(?: alone)?,\s*", re.IGNORECASE)
_AFTERTHOUGHT = re.compile(
    rf"(?:(?:so|therefore|hence|thus),? )?(?:the|my) answer is (?:null|unknown|none|not in memory|not known)"
    rf"|(?:they|it|{_SOURCE}) only\b.*|(?:please|could you|if you|let me know|feel free|would you)\b.*",
    re.IGNORECASE,
)


def lacks_answer(text: str) -> bool:
    """Whether `text` says that the context does not hold the answer, and nothing else."""
    if is_not_in_memory(text) or lacks_elsewhere(text):
        return True
    first, *others = plain_sentences(text)
    return _lacks(first) and all(_lacks(one) or _AFTERTHOUGHT.fullmatch(one) for one in others)


def plain_sentences(text: str) -> list[str]:
    """Split a reply into sentences, at least one, in plain quotes and without what stands around them."""
    plain = " ".join(text.replace("\u2019", "'").replace("`", "'").split())
    plain = re.sub(r"\b(it|that|there|this|here)'s\b", r"\1 is", plain, flags=re.IGNORECASE)
    return [one.strip(" \t.!?;:*_\"'()[]#>-") for one in re.split(r"(?<=[.!?])\s+", plain)]


def _lacks(sentence: str) -> bool:
    for opening in (_APOLOGISES, _ACCORDING):
        found = opening.match(sentence)
        sentence = sentence[found.end() :] if found else sentence
    return bool(_LACKS.fullmatch(sentence))
