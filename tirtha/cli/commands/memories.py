"""Commands over a memory: remember, context, ask, recall, memories, forget."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tirtha.cli.bulk import remember_file
from tirtha.cli.client import post, print_answer, request
from tirtha.cli.connection import ShownKey
from tirtha.cli.running import CommandFailed, give_up, given, run
from tirtha.cli.turn_file import STDIN, read_text
from tirtha.terminal import FURTHER_LINE, one_entry, printable

__all__ = ["app"]

app = typer.Typer()

User = Annotated[str, typer.Option("--user", "-u", help="whose memory")]
Agent = Annotated[str | None, typer.Option("--agent", help="which agent's memory of the user")]
AsJson = Annotated[bool, typer.Option("--json", help="print the response as JSON")]
Question = Annotated[str, typer.Argument(help="the question")]
Budget = Annotated[int | None, typer.Option("--budget", help="tokens of the context")]
Kind = Literal["instruction"]
AsOf = Annotated[
    Literal["asked_at"] | None,
    typer.Option("--as-of", help="asked_at: leave out what was said after --asked-at"),
]
AskedAt = Annotated[str | None, typer.Option("--asked-at", help="ISO 8601 with a zone; default now")]


@app.command()
def remember(
    text: Annotated[
        str | None, typer.Argument(help="what was said; - reads standard input; leave out with --file")
    ] = None,
    *,
    user: User,
    agent: Agent = None,
    session: Annotated[str | None, typer.Option("--session", "-s", help="the conversation; default a new one")] = None,
    role: Annotated[str, typer.Option(help="user, assistant, system or tool")] = "user",
    speaker: Annotated[str | None, typer.Option(help="the speaker's name")] = None,
    said_at: Annotated[str | None, typer.Option("--said-at", help="ISO 8601 with a zone; default now")] = None,
    file: Annotated[
        Path | None,
        typer.Option(help="NDJSON, one turn a line, fields as in docs/http.md; - reads standard input"),
    ] = None,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """Remember one turn, or a file of turns."""
    if (text is None) == (file is None):
        raise typer.BadParameter("give either a text or --file")
    if file is not None:
        remember_file(file, given(user_id=user, agent_id=agent), session, as_json)
        return
    if text == str(STDIN):
        text = _standard_input()
    turn = given(role=role, speaker=speaker, text=text, said_at=said_at)
    body = given(user_id=user, agent_id=agent, session_id=session) | {"turns": [turn]}
    answer = run(post("/v1/remember", body))
    print_answer(answer, as_json, f"Remembered in session {answer['session_id']} as turn {answer['turns'][0]['id']}.")


@app.command()
def context(
    question: Question,
    *,
    user: User,
    agent: Agent = None,
    budget: Budget = None,
    asked_at: AskedAt = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """Show the context that a solver would get."""
    body = given(user_id=user, agent_id=agent, question=question, budget=budget, asked_at=asked_at, as_of=as_of)
    answer = run(post("/v1/context", body))
    summary = f"\n{answer['tokens']} of {answer['budget']} tokens, answerable {answer['answerable']:.2f}"
    if not answer["complete"]:
        summary += ", more was said on it than fits: ask with a larger --budget"
    # The server sets a quote's further lines in; every other line is ours.
    text = printable(answer["text"]).replace("\n  ", f"\n{FURTHER_LINE}")
    print_answer(answer, as_json, (text or "Nothing is remembered on that.") + summary)


@app.command()
def ask(
    question: Question,
    *,
    user: User,
    agent: Agent = None,
    budget: Budget = None,
    asked_at: AskedAt = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """Answer a question from memory."""
    body = given(user_id=user, agent_id=agent, question=question, budget=budget, asked_at=asked_at, as_of=as_of)
    answer = run(post("/v1/ask", body))
    cited = [f"  {one['turn_id']} ({one['session_id']}): {one['quote']}" for one in answer["citations"]]
    print_answer(answer, as_json, "\n".join(map(one_entry, [answer["answer"], *cited])))


@app.command()
def recall(
    question: Question,
    *,
    user: User,
    agent: Agent = None,
    limit: Annotated[int, typer.Option(help="turns")] = 10,
    asked_at: AskedAt = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """List the turns that say most on a question."""
    body = given(user_id=user, agent_id=agent, question=question, limit=limit, asked_at=asked_at, as_of=as_of)
    answer = run(post("/v1/recall", body))
    rows = [f"{one['score']:6.3f}  {one['turn_id']}  {one['speaker']}: {one['text']}" for one in answer["evidence"]]
    print_answer(answer, as_json, "\n".join(map(one_entry, rows)) or "Nothing is remembered on that.")


@app.command()
def memories(
    *,
    user: User,
    agent: Agent = None,
    session: Annotated[str | None, typer.Option("--session", "-s", help="only this conversation")] = None,
    query: Annotated[str | None, typer.Option("--query", help="what says most on this, best first")] = None,
    limit: Annotated[int, typer.Option(help="turns")] = 100,
    cursor: Annotated[str | None, typer.Option(help="where the page before ended")] = None,
    kind: Annotated[Kind | None, typer.Option(help="instruction: what the user wants always, newest first")] = None,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """List what is remembered, word for word, oldest first; or what the user wants always."""
    asked = given(user_id=user, agent_id=agent, session_id=session, query=query, kind=kind, limit=limit, cursor=cursor)
    answer = run(request("GET", "/v1/memories", asked))
    rows = [_instruction(one) for one in answer["instructions"]] if kind else [_turn(one) for one in answer["turns"]]
    if answer["next"]:
        rows.append(f"There are more: --cursor {answer['next']}")
    print_answer(answer, as_json, "\n".join(map(one_entry, rows)) or "Nothing is remembered.")


@app.command()
def forget(
    *,
    user: User,
    agent: Agent = None,
    session: Annotated[str | None, typer.Option("--session", "-s", help="only this conversation")] = None,
    turn: Annotated[str | None, typer.Option(help="only this turn of the conversation")] = None,
    kind: Annotated[Kind | None, typer.Option(help="instruction: keep the turn, and follow it no more")] = None,
    everything: Annotated[bool, typer.Option("--everything", help="all that is remembered of the user")] = False,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """Forget a turn, a conversation or a user, with every copy in answers and decision records."""
    if everything == (session is not None) or (turn is not None and session is None):
        raise typer.BadParameter("give --session, --session with --turn, or --everything")
    if kind is not None and turn is None:
        raise typer.BadParameter("--kind instruction needs --turn: instructions are switched off by their turn")
    answer = run(post("/v1/forget", given(user_id=user, agent_id=agent, session_id=session, turn_id=turn, kind=kind)))
    if kind is not None:
        print_answer(answer, as_json, f"Switched off {answer['instructions']} instructions of the turn; it is kept.")
        return
    summary = f"Forgot {answer['turns']} turns of {answer['sessions']} sessions; emptied {answer['decisions']} decision records."
    print_answer(answer, as_json, summary)


def _turn(one: dict[str, Any]) -> str:
    return f"{one['said_at']}  {one['session_id']}  {one['id']}  {one['speaker'] or one['role']}: {one['text']}"


def _instruction(one: dict[str, Any]) -> str:
    newer = one["replaced_by"]
    state = "" if one["active"] else f"  (replaced by {newer['session_id']} {newer['turn_id']})" if newer else "  (off)"
    return f"{one['said_at']}  {one['session_id']}  {one['turn_id']}{state}: {one['text']}"


def _standard_input() -> str:
    try:
        return read_text()
    except CommandFailed as fault:
        give_up(fault)
