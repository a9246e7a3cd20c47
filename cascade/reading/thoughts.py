"""What a model says aloud: its text without what it says to itself, without a chat format's marks, without its wrapping.

Thoughts are known by their tags (`<think>`, `<thinking>`, `<reasoning>`, `<reflection>` and their like, in any case, with
attributes; Mistral's, Kimi's, Cohere's), by harmony's channels, also without their marks ("analysis...assistantfinal"), by the
headings of Granite and Ollama, by folding (`<details>`), and as an aside on a line before. A closing tag that was never opened
ends a thought that began with the text; an opening one that is never closed begins one that goes to its end.

A tag is no thought where it is spoken of: in quotes or backticks, in a closed code block, in a text that is JSON, Python or a patch
as a whole; and one with a name that others use too (`<plan>`, `<analysis>`) only where it begins a line. Thoughts in plain prose
are not known: no mark says where they end.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass

from cascade.reading.syntax import is_json, parsed

__all__ = ["FENCE_LINES", "after_label", "has_words", "spoken", "unwrapped"]

_NAMES = (
    r"(?:[a-z]{1,12}[:_])?(?:think(?:ing)?|thoughts?|thought_process|(?:inner_|internal_)(?:thoughts?|monologue)"
    r"|chain[_-]of[_-]thoughts?|reasoning|(?:self[_-])?reflect(?:ion|ing)?|scratch_?pad)"
)
_COMMON_NAMES = r"(?P<common>cot|reason|rationale|analysis|monologue|deliberation|plan(?:ning)?)"  # others use them too
_TAG = re.compile(
    rf"(?P<bold>\*\*)?(?:(?:<|&lt;)\|?\s*(?P<ends>/|end_(?:of_)?)?\s*(?:start_|begin_)?(?:of_)?(?:{_NAMES}|{_COMMON_NAMES})"
    r"(?P<end>_end)?(?:_start|_begin)?(?:[\s|/][^<>]*?)?(?:>|&gt;)"
    r"|(?-i:\[(?P<mistral>/)?THINK\])|◁(?P<kimi>/)?think▷|<(?:unused|ctrl)9(?:4|(?P<gemma>5))>(?:thought\s)?"
    r"|<(?:\|channel>thought\b|(?P<channel>channel\|>)))(?(bold)\*\*)",
    re.IGNORECASE,
)
_EMPTY_TAG = re.compile(r"/\s*(?:>|&gt;)\**\Z")
_CLOSING = ("ends", "end", "mistral", "kimi", "gemma", "channel")
_QUOTES = "`'\"“”\u2018\u2019"
_FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*?)[ \t\r]*$", re.MULTILINE)
FENCE_LINES = re.compile(r"^[ \t>]*(?:`{3,}|~{3,})[^\n`]*(?:\n|$)|(?:`{3,}|~{3,})[ \t\r]*$", re.MULTILINE)
_CHANNEL = re.compile(
    r"<\|channel\|>\s*(?P<name>analysis|commentary|final)(?:\s+to=\S+?)?\s*(?:<\|constrain\|>\s*\w+\s*)?(?:<\|message\|>)?",
    re.IGNORECASE,
)
_MESSAGE_ENDS = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
# Harmony whose marks were dropped: words of its headers, glued to the text.
_GLUED = re.compile(r"\s*(?:assistant)?(?:analysis|commentary)(?=[A-Z\"'“]|\s*\n|.*assistant\s?final)", re.DOTALL)
_GLUED_FINAL = re.compile(r"assistant\s{0,2}final(?:\s?json(?=\s*\{))?")
_HEADED = (  # what opens thoughts by a heading, and what ends them
    (re.compile(r"\s*Here(?:'s| is) my thought process:?"), re.compile(r"Here(?:'s| is) my response:?")),
    (re.compile(r"\s*Thinking\.\.\.\s"), re.compile(r"\.\.\.done thinking\.")),
)
_MARKS_BEFORE = re.compile(
    r"(?:\s*(?:<\|\w+\|>|<start_of_turn>|\[/?INST\]|<s>|<bos>)\s*(?:(?:assistant|model)\s*(?=<\||\n))?)+"
)
_ROLE_BEFORE = re.compile(  # the headings of formats in plain text: "### Response:", "Assistant:"
    r"\s*(?:#{1,4}\s*(?:assistant|response|answer|output)\b[ \t]*:?|\**(?:assistant|bot)\**[ \t]*:)\**\s*",
    re.IGNORECASE,
)
_TURN_ENDS = re.compile(r"<\|(?:endoftext|im_end|eot_id|end_of_text|eom_id)\|>|<end_of_turn>|<eos>")
_FOLDED = re.compile(  # as chat interfaces store thoughts
    r"<details(?:\s[^<>]*\btype=\W?reasoning\b[^<>]*>|[^<>]*>\s*<summary>[^<>]*\b(?:reason|think|thought)\w*[^<>]*</summary>)"
    r".*?(?:</details>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_ASIDE = re.compile(r"\s*(?:\*+|\(|_|\[)(?:think|thought|reason)\w*\b[^\n]*(?:\*|\)|_|\])[ \t]*\n", re.IGNORECASE)
_MARK_AFTER = re.compile(r"(?:<\|\w{1,40}\|>|</s>|<eos>|<end_of_turn>)\Z")
_LONGEST_MARK = 50
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_EMPTY = frozenset(f".,;:!?…-\u2013—_'\"“”\u2018\u2019`()[]{{}}<>*#|/\\~{_INVISIBLE}")
_WRAPPING = re.compile(
    r"^[ \t]*<(?P<name>(?:final_)?answer|final|response|output|result|verdict|judge?ment|decision)\b[^<>]*>(?P<inside>.*?)"
    r"(?:</(?P=name)\s*>|\Z)",
    re.IGNORECASE | re.DOTALL | re.MULTILINE,
)
_LABEL = re.compile(
    r"^[ \t>*_#-]*(?:(?:so|thus|therefore|hence),?\s+)?(?:sure[,.!]*\s+)?(?:here(?:'s|\u2019s| is)\s+)?(?:(?:the|my)\s+)?"
    r"(?:(?:final|short|direct|brief|json)\s+)?answer(?:\s+is)?[*_ \t]*(?::[*_ \t]*|$)",
    re.IGNORECASE | re.MULTILINE,
)
_NESTED = 3  # wrappings around each other, and thoughts after each other, at most
_PATCH = re.compile(r"\s*(?:diff --git |--- a/)")
_CODE = re.compile(r"^(?:async def|def|class|import|from|@)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A closed code block: what is in it, and where it ends."""

    inside: str
    end: int


def spoken(text: str) -> str:
    """Return what `text` says aloud: without thoughts and the marks of chat formats; "" if it is nothing but thoughts."""
    for _ in range(_NESTED):  # what is left may begin as a thought of another kind
        bare = _spoken(text)
        if bare == text:
            break
        text = bare
    return text


def _spoken(text: str) -> str:
    bare = text.strip(_INVISIBLE)
    if not _is_data(bare):
        bare = _tagged(_headed(_glued(_channelled(bare))))
        bare = _FOLDED.sub("", bare)
        for opening in (_ASIDE, _MARKS_BEFORE, _ROLE_BEFORE):
            bare = bare[match.end() :] if (match := opening.match(bare)) else bare
        bare = _own_turn(bare)
    stripped = bare.rstrip()
    while match := _MARK_AFTER.search(stripped, max(0, len(stripped) - _LONGEST_MARK)):
        bare = stripped = stripped[: match.start()].rstrip()
    return bare


def _own_turn(text: str) -> str:
    """Return `text` up to the mark that ends the turn: what a model writes behind it is another's turn, made up."""
    blocks = _Blocks(text)
    ends = (
        one.start() for one in _TURN_ENDS.finditer(text) if not blocks.around(0, one.start()) and not _is_mention(one)
    )
    return text[: next(ends, len(text))]


def unwrapped(text: str) -> str:
    """Return what stands in the last `<answer>` (or tag of that kind) of `text`; all of it without one."""
    for _ in range(_NESTED):
        found = list(_WRAPPING.finditer(text))
        text = found[-1]["inside"].strip() if found else text
    return text


def after_label(text: str) -> str:
    """Return what follows the last "Answer:" that begins a line of `text`; all of it without one."""
    labels = list(_LABEL.finditer(text))
    return text[labels[-1].end() :] if labels else text


def has_words(text: str) -> bool:
    """Whether `text` holds more than punctuation, fences and space."""
    return any(not one.isspace() and one not in _EMPTY for one in FENCE_LINES.sub("", text))


def _is_data(text: str) -> bool:
    """Whether `text` is JSON, a patch or Python as a whole: tags in it are of its own matter."""
    return is_json(text) or bool(_PATCH.match(text)) or bool(_CODE.search(text) and parsed(text))


def _channelled(text: str) -> str:
    """Return the last message of harmony's final channel, or what was said before any channel."""
    blocks = _Blocks(text)
    marks = [mark for mark in _CHANNEL.finditer(text) if blocks.around(0, mark.start()) is None]
    if not marks:
        return text
    final = next((mark for mark in reversed(marks) if mark["name"].lower() == "final"), None)
    if final is None:
        before = text[: marks[0].start()]
        return before[: match.start()] if (match := _MESSAGE_ENDS.search(before)) else before
    said = text[final.end() :]
    return said[: match.start()] if (match := _MESSAGE_ENDS.search(said)) else said


def _glued(text: str) -> str:
    if not _GLUED.match(text):
        return text[match.end() :] if (match := re.match(r"\s*assistantfinal", text)) else text
    finals = list(_GLUED_FINAL.finditer(text))
    if finals:
        return text[finals[-1].end() :]
    return "" if re.match(r"\s*(?:assistant)?analysis(?=[A-Z])", text) else text


def _headed(text: str) -> str:
    for opens, ends in _HEADED:
        if opens.match(text):
            end = ends.search(text)
            return text[end.end() :] if end else ""
    return text


def _tagged(text: str) -> str:
    """Return `text` without what stands between thinking tags."""
    kept: list[str] = []
    at, blocks, begun = 0, _Blocks(text), False
    while tag := _next_tag(text, at, blocks):
        if at and not begun and text[at : tag.start()].strip():
            begun = True
            if _is_data(text[at:]):  # JSON or Python after thoughts
                break
        if _closes(tag):
            kept.clear()  # never opened: all so far was a thought
            at = tag.end()
        else:
            kept.append(text[at : tag.start()])
            at = _end_of_thought(text, tag)
    return "".join([*kept, text[at:]])


def _end_of_thought(text: str, tag: re.Match[str]) -> int:
    """Return where the thought ends that `tag` opens: with its closing tag, or with the text."""
    if _EMPTY_TAG.search(tag[0]):
        return tag.end()
    closing = next((one for one in _TAG.finditer(text, tag.end()) if _closes(one) and not _is_mention(one)), None)
    return closing.end() if closing else len(text)


def _next_tag(text: str, at: int, blocks: "_Blocks") -> re.Match[str] | None:
    """Find the next tag that opens or closes a thought, past those that are spoken of."""
    look = at
    while tag := _TAG.search(text, look):
        block = blocks.around(at, tag.start())
        if block and not _ends_open_block(block, tag):
            at = look = block.end
        elif _is_mention(tag) or (tag["common"] and not _begins_line(tag, at)):
            look = tag.end()
        else:
            return tag
    return None


def _closes(tag: re.Match[str]) -> bool:
    return any(tag[name] for name in _CLOSING)


def _begins_line(tag: re.Match[str], at: int) -> bool:
    """Whether nothing stands before a tag on its line, what is before `at` aside."""
    text = tag.string
    return not text[max(at, text.rfind("\n", 0, tag.start()) + 1) : tag.start()].strip()


def _is_mention(tag: re.Match[str]) -> bool:
    """Whether a tag stands in quotes or backticks of its own."""
    text, start, end = tag.string, tag.start(), tag.end()
    fenced = text.endswith(("```", "~~~"), 0, start) or text.startswith(("```", "~~~"), end)
    return not fenced and start > 0 and text[start - 1] in _QUOTES and text[end : end + 1] in tuple(_QUOTES)


class _Blocks:
    """The fences of a text, found once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._fences = list(_FENCE.finditer(text))
        self._starts = [fence.start() for fence in self._fences]

    def around(self, at: int, place: int) -> _Block | None:
        """Return the closed code block that `place` is in, None if it is in none; `at` is outside of any.

        A fence that names a language opens a block, so that one still open before it was never closed.
        """
        opened: re.Match[str] | None = None
        for n in range(bisect_left(self._starts, at), len(self._fences)):
            fence = self._fences[n]
            if opened is None or fence["info"]:
                if fence.start() > place:
                    return None
                opened = fence
            elif fence["indent"] == opened["indent"] and fence["marks"].startswith(opened["marks"]):
                if fence.start() > place:
                    return _Block(inside=self._text[opened.end() : fence.start()], end=fence.end())
                opened = None
        return None


def _ends_open_block(block: _Block, tag: re.Match[str]) -> bool:
    """Whether a closing tag is no line of the block around it, which then was left open in a thought."""
    alone = tag.string[tag.start() - 1 : tag.start()] == "\n" and tag.string[tag.end() : tag.end() + 1] in {"\n", "\r"}
    return _closes(tag) and alone and parsed(block.inside) is None
