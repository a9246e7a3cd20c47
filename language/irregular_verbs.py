"""The irregular verbs of English, from the forms of the past to the verb: "bought" is of "buy". A closed class.

A stemmer cuts endings off and leaves these as they are. Forms that are words of their own ("left", "saw", "felt") stand here as
well, so a lemma serves to compare two texts, and is nothing to show or to search by.
"""

__all__ = ["lemma"]

_VERBS = """be was were been|become became|begin began begun|bend bent|bind bound|bite bit bitten|bleed bled
blow blew blown|break broke broken|breed bred|bring brought|build built|burn burnt|buy bought|catch caught
choose chose chosen|come came|creep crept|deal dealt|dig dug|do did done|draw drew drawn|dream dreamt
drink drank drunk|drive drove driven|eat ate eaten|fall fell fallen|feed fed|feel felt|fight fought|find found
flee fled|fly flew flown|forbid forbade forbidden|forget forgot forgotten|forgive forgave forgiven
freeze froze frozen|get got gotten|give gave given|go went gone|grind ground|grow grew grown|hang hung
have had has|hear heard|hide hid hidden|hold held|keep kept|kneel knelt|know knew known|lay laid|lead led
lean leant|leap leapt|learn learnt|leave left|lend lent|lie lain|light lit|lose lost|make made|mean meant
meet met|pay paid|ride rode ridden|ring rang rung|rise rose risen|run ran|say said|see saw seen|seek sought
sell sold|send sent|sew sewn|shake shook shaken|shine shone|shoot shot|show shown|shrink shrank shrunk
sing sang sung|sink sank sunk|sit sat|sleep slept|slide slid|smell smelt|speak spoke spoken|spell spelt
spend spent|spill spilt|spin spun|spoil spoilt|stand stood|steal stole stolen|stick stuck|sting stung
strike struck|swear swore sworn|sweep swept|swim swam swum|swing swung|take took taken|teach taught
tear tore torn|tell told|think thought|throw threw thrown|understand understood|wake woke woken|wear wore worn
weave wove woven|weep wept|win won|wind wound|withdraw withdrew withdrawn|write wrote written"""
_LEMMAS = {
    form: verb for line in _VERBS.replace("\n", "|").split("|") for verb, *forms in [line.split()] for form in forms
}


def lemma(word: str) -> str:
    """Return the verb that a lower-cased word is an irregular form of; the word itself if it is of none."""
    return _LEMMAS.get(word, word)
