"""How a question is put, apart from what it asks about.

"Can you tell me where I parked?" asks nothing of "you", and nothing about telling: its subject is "where I parked?".
"In what order did I bring up ...?" is about the whole history and not about one fact. Rules over the question's words. Frames are
known in English; that the whole history is asked about, in ten languages beside.
"""

import re

from language.words import content_terms

__all__ = ["asks_for_the_history", "subject_of"]

_SENTENCE = r"(?:^|(?<=[.!?\n])\s+)"
_OPENING = (
    r"(?:(?:please|kindly|hi|hey|hello|ok|okay|so|well|and|also|now|then|just|hmm|sorry|quick question)\b[\s,!.:]*)*"
)
_REQUEST = r"""(?:
    (?:can|could|would|will)\ you(?:\ (?:please|kindly|also|just|maybe|possibly|quickly|perhaps))*\ (?:be\ able\ to\ )?
  | i(?:'d|\ would)?\ (?:like|want|need)\ you\ to\ | i(?:'d|\ would)\ like\ to\ know\ | i\ (?:want|need)\ to\ know\s
  | do\ you\ (?:happen\ to\ )?(?:know|remember|recall)\ (?:if\ |whether\ )?
  | i(?:'m|\ am|\ was)?\ wonder(?:ing)?\ (?:if\ |whether\ )? | any\ (?:idea|chance)\ (?:you\ (?:know|remember)\ )?
)"""
_TELL = r"(?:(?:please\ )?(?:tell|remind|show|give|let)\ (?:me|us)\b(?:\ know\b)?(?:\ again\b)?\s*(?:of\ |about\ |if\ |whether\ )?)"
_FRAME = re.compile(rf"({_SENTENCE}){_OPENING}(?:{_REQUEST}{_TELL}?|{_TELL})", re.IGNORECASE | re.VERBOSE)
_PLEASE = re.compile(r",?\s*\bplease\b", re.IGNORECASE)
# "Mention only five items.", "Answer in one word.": about the answer's form. Never the first sentence: it may be all that is asked.
_FORM = re.compile(
    r"""(?<=[.!?])\s+(?:mention|list|give|answer|respond|reply|keep|limit|include|use|be)\b
    [^.!?]*\b(?:only|just|short|brief|concise|words?|sentences?|items?|bullets?|points?|format|detail(?:s|ed)?)\b[^.!?]*[.!?]?""",
    re.IGNORECASE | re.VERBOSE,
)

_HISTORY_IN_ENGLISH = r"""
    \bsummari[sz]e\b | \b(?:summary|overview|recap|timeline|rundown)\ (?:of|on|about)\b
  | \b(?:what|which)\ order\b | \bthe\ (?:order|sequence)\ (?:in\ which|that|of)\b | \bchronological | \bin\ order\b[\s,.?!]*$
  | \bhow\ many\ (?:different\ |separate\ )?times\b | \bhow\ often\ (?:did|have|has|had|do|does)\b
  | \b(?:throughout|across|over|in\ all)\ (?:of\ )?(?:all\ )?(?:our|my|these|the|all)?\ ?(?:\w+\ )?
    (?:conversations|sessions|chats|discussions|talks)\b
  | \bover\ (?:the\ course\ of|time)\b
  | \beverything\ (?:that\ )?(?:\w+\ ){0,2}(?:said|told|know|discussed|covered|talked|mentioned)
  | \bhow\ (?:did|has|have)\ (?:\w+\W+){1,8}(?:evolved?|progress(?:ed)?|develop(?:ed)?|changed?\ over)\b
"""
_HISTORY_ELSEWHERE = r"""
    \bfass\w*\ .*\bzusammen | \bzusammenfass | \bwie\ oft\b | \bin\ welcher\ reihenfolge\b
  | \br[ée]sum[ée]\w*\ (?:de|moi|nous|tout|ce|les?\b|la\b|mes\b|notre) | \br[ée]capitul
  | \bcombien\ de\ fois\b | \bdans\ quel\ ordre\b
  | \bresum(?:e|en|ir|ime|imen|a)\b | \bcu[áa]ntas\ veces\b | \ben\ qu[ée]\ orden\b
  | \bquantas\ vezes\b | \bem\ que\ ordem\b
  | \briassu(?:m|nt) | \briepilog | \bquante\ volte\b | \bin\ (?:che|quale)\ ordine\b
  | \bsamenvat | \bvat\ .*\bsamen\b | \bhoe\ vaak\b | \bin\ welke\ volgorde\b
  | \bрезюм | \bподвед\w*\ итог | \bкратко\ (?:изложи|перескажи|опиши) | \bсколько\ раз\b | \bв\ каком\ порядке\b
  | 总结|概括|概述|回顾一下|多少次|几次|什么顺序|按.{0,4}顺序
  | 要約|まとめて|何回|何度|どの順|どんな順 | 요약|정리해|몇\ ?번|어떤\ 순서|순서대로
"""
_HISTORY = re.compile(f"{_HISTORY_IN_ENGLISH}|{_HISTORY_ELSEWHERE}", re.IGNORECASE | re.VERBOSE)


def subject_of(text: str) -> str:
    """Return a question without what only asks: requests to tell, "please", sentences about the answer's form.

    A question of nothing else stays as it is.
    """
    rest = _FORM.sub("", text)
    rest = _FRAME.sub(lambda found: found[1], rest)
    rest = _PLEASE.sub("", rest).strip()
    return rest if content_terms(rest) else text


def asks_for_the_history(text: str) -> bool:
    """Return whether the whole history is asked about: for a summary, an order of events, a count of times."""
    return bool(_HISTORY.search(text))
