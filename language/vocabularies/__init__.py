"""How ten languages tell relative times: a table of phrases each, one file a language; read by `language.other_times`."""

from language.vocabularies.chinese import CHINESE
from language.vocabularies.compiled import NEVER, Compiled
from language.vocabularies.dutch import DUTCH
from language.vocabularies.french import FRENCH
from language.vocabularies.german import GERMAN
from language.vocabularies.italian import ITALIAN
from language.vocabularies.japanese import JAPANESE
from language.vocabularies.korean import KOREAN
from language.vocabularies.portuguese import PORTUGUESE
from language.vocabularies.russian import RUSSIAN
from language.vocabularies.spanish import SPANISH
from language.vocabularies.vocabulary import Unit, Vocabulary

__all__ = ["NEVER", "VOCABULARIES", "Compiled", "Unit", "Vocabulary"]

VOCABULARIES = {
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "ru": RUSSIAN,
    "zh": CHINESE,
    "it": ITALIAN,
    "pt": PORTUGUESE,
    "nl": DUTCH,
    "ja": JAPANESE,
    "ko": KOREAN,
}
