"""The sentences that Tirtha itself says in place of an answer, in the language of the question where that is one of eleven.

Programs read a decision's `path`, never these words. Where the question's language is not clear, the sentence is English.
"""

from language.identification import Language, language_of

__all__ = ["is_not_in_memory", "no_program_passed", "not_in_memory"]

_NOT_IN_MEMORY: dict[Language, str] = {
    "en": "That is not in memory.",
    "de": "Das steht nicht im Gedächtnis.",
    "fr": "Cela ne figure pas dans la mémoire.",
    "es": "Eso no está en la memoria.",
    "ru": "Этого нет в памяти.",
    "zh": "记忆中没有这一内容。",
    "it": "Questo non è presente nella memoria.",
    "pt": "Isso não está na memória.",
    "nl": "Dat staat niet in het geheugen.",
    "ja": "それはメモリにありません。",
    "ko": "그 내용은 메모리에 없습니다.",
}
_NO_PROGRAM_PASSED: dict[Language, str] = {
    "en": "No program passed the tests.",
    "de": "Kein Programm hat die Tests bestanden.",
    "fr": "Aucun programme n'a réussi les tests.",
    "es": "Ningún programa superó las pruebas.",
    "ru": "Ни одна программа не прошла тесты.",
    "zh": "没有程序通过测试。",
    "it": "Nessun programma ha superato i test.",
    "pt": "Nenhum programa passou nos testes.",
    "nl": "Geen enkel programma is voor de tests geslaagd.",
    "ja": "テストに合格したプログラムはありません。",
    "ko": "테스트를 통과한 프로그램이 없습니다.",
}
_AROUND = " \t\n.\u3002!'\"`*"
_SAID = frozenset(sentence.strip(_AROUND).casefold() for sentence in _NOT_IN_MEMORY.values())


def not_in_memory(question: str) -> str:
    """Return the sentence for a question that the memory holds no answer to, in the question's language."""
    return _NOT_IN_MEMORY[language_of(question) or "en"]


def no_program_passed(task: str) -> str:
    """Return the sentence for a task whose programs all failed the tests, in the language of the task's words."""
    return _NO_PROGRAM_PASSED[language_of(task) or "en"]


def is_not_in_memory(text: str) -> bool:
    """Return whether `text` is the sentence of `not_in_memory` in any language: a model may say it to us."""
    return text.strip(_AROUND).casefold() in _SAID
