"""The demo runs to its end and shows what it promises."""

import io
import re
from pathlib import Path

from rich.console import Console

from tirtha.cli.commands.demo import run_demo
from tirtha.sample import sample_questions
from tirtha.settings import Settings


async def test_the_demo_shows_question_context_answer_citation_and_saving(tmp_path: Path) -> None:
    settings, shown = Settings(home=tmp_path / "home"), io.StringIO()
    await run_demo(settings, Console(file=shown, width=160))
    text = shown.getvalue()
    for question in sample_questions():
        assert question.question in text
    contexts = [int(tokens) for tokens in re.findall(r"Context +(\d+) of", text)]
    assert len(contexts) == 15
    assert max(contexts) <= 165
    assert text.count("Citations  s") == 15 - text.count("Answer     That is not in memory.")
    assert text.count("Answer ") == 15
    right, wrong, abstained = (
        int(re.findall(rf"{row}\W+(\d+)", text)[0])
        for row in ("answers right", "wrong, or right in part only", "abstained, though the history has the answer")
    )
    assert right + wrong + abstained == 15
    for mark, count in (("right", right), ("wrong", wrong), ("abstained", abstained)):
        assert text.count(f"Counted as {mark}") == count
    assert right >= 2 * wrong, "without a model it abstains rather than be wrong"
    found = re.search(r"in the context's words\W+(\d+) of 14", text)
    assert found
    assert right <= int(found.group(1)) + 1, (
        "what is not in the context is not answered; one right answer is to abstain"
    )
    assert re.search(r"saving\W+\d+x", text)
    assert not settings.folder.exists(), "the demo leaves the user's own data folder alone"
