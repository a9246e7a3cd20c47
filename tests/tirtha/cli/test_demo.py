"""The demo runs to its end and shows what it promises."""

import io
import re

from rich.console import Console

from tirtha.cli.demo import run_demo
from tirtha.sample import sample_questions
from tirtha.settings import Settings


async def test_the_demo_shows_question_context_answer_citation_and_saving(settings: Settings) -> None:
    shown = io.StringIO()
    await run_demo(settings, Console(file=shown, width=160))
    text = shown.getvalue()
    for question in sample_questions():
        assert question.question in text
    contexts = [int(tokens) for tokens in re.findall(r"Context +(\d+) of", text)]
    assert len(contexts) == 15
    assert max(contexts) <= 165
    assert text.count("Citations  s") >= 10
    assert text.count("Answer ") == 15
    found = re.search(r"mean share\)\W+(\d+)%", text)
    assert found
    assert int(found.group(1)) >= 80
    assert re.search(r"saving\W+\d+x", text)
    assert not settings.folder.exists(), "the demo leaves the user's own data folder alone"
