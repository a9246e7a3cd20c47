"""Other sets' formats."""

import json
from pathlib import Path

import pytest

from eval.errors import Unusable
from eval.faithfulness.data import read_judged


def test_other_sets_are_read(tmp_path: Path) -> None:
    (tmp_path / "source_info.jsonl").write_text(
        json.dumps(
            {
                "source_id": "s",
                "task_type": "QA",
                "source_info": {"question": "Who?", "passages": "Ann came. Bob left."},
            }
        )
    )
    responses = tmp_path / "response.jsonl"
    responses.write_text(
        "\n".join(
            json.dumps({"id": n, "source_id": "s", "response": text, "labels": labels})
            for n, (text, labels) in enumerate([("Ann came.", []), ("Carl came.", [{"start": 0, "end": 4}])])
        )
    )
    read = list(read_judged("ragtruth", responses, seed=1))
    assert [one.faithful for one in read] == [True, False]
    assert [quote.text for quote in read[0].brief.quotes] == ["Ann came.", "Bob left."]
    halueval = tmp_path / "qa_data.json"
    halueval.write_text(
        json.dumps(
            {"knowledge": "Ann came.", "question": "Who came?", "right_answer": "Ann", "hallucinated_answer": "Bob"}
        )
    )
    assert [one.faithful for one in read_judged("halueval", halueval, seed=1)] == [True, False]
    halueval.write_text("[1]")
    with pytest.raises(Unusable, match="not in the format of halueval"):
        list(read_judged("halueval", halueval, seed=1))
