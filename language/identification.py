"""Which language is a text in? By its script, by the small words that it holds, by letters and endings; if unclear, none.

Knows English and the ten languages of `language.vocabularies`, and enough of their neighbours not to take those for one of them.
"""

import re
from collections import Counter
from typing import Literal, get_args

from language.words import STOP_WORDS

__all__ = ["Language", "language_of", "shows_language"]

Language = Literal["en", "de", "fr", "es", "ru", "zh", "it", "pt", "nl", "ja", "ko"]

# "--" are neighbours: their words are known only to distinguish them.
_SMALL_WORDS = {
    "de": """ich du er sie es wir ihr mich dich sich uns euch ihm ihn ihnen mir dir der die das den dem des ein eine
        einen einem einer eines mein meine meinen meinem meiner dein deine deinen sein seine seinen ihre ihren ihrem
        unser unsere unseren und oder aber denn weil dass wenn als ob nicht kein keine keinen ist bin bist sind seid
        war waren warst hatte hatten hast hat haben habe wird werde werden wurde wurden kann kannst muss soll will
        möchte auf aus bei mit nach von zu zum zur im am vom für über unter durch gegen ohne um vor hinter zwischen
        wo wann warum wer wen wem wie was welche welcher welches welchen wohin woher heißt heiße hier dort da auch
        noch nur schon sehr immer wieder dann doch mal viel viele mehr alle alles etwas nichts man so gern gerne
        bitte danke ja nein seit bis gut guten gestern heute morgen vorgestern übermorgen wohne wohnt wohnst arbeite
        arbeitet letzte letzten letztes letzter nächste nächsten nächstes woche wochen jahr jahre jahren monat
        monate monaten tage tagen stunden uhr zwei drei vier fünf ging kam gab sagte sagt gehe gehen geht beim ins
        liebe mag lieblings hallo""",
    "fr": """je j'ai tu il elle on nous vous ils elles me te se moi toi lui leur le la les l' un une des du de d' au aux
        ce cet cette ces mon ma mes ton ta tes son sa ses notre nos votre vos leurs et ou mais donc car que qui quoi
        dont où quand comment pourquoi combien quel quelle quels quelles ne n' n'est n'ai pas plus jamais rien est
        es suis sommes êtes sont était étais étaient ai as a à avons avez ont avait avais été fait fais faire vais
        va vont allé allée peux peut dans sur sous avec sans pour par chez entre vers depuis pendant en y c'est
        c'était s'est s'appelle qu'il qu'elle qu'est d'un d'une jusqu'à très bien aussi encore déjà toujours tout
        tous toute toutes même si oui non merci bonjour quelque chose ici là alors puis hier demain avant-hier
        aujourd'hui semaine semaines mois année ans jours jour dernier dernière prochain prochaine matin soir habite
        travaille deux trois quatre cinq lundi mardi mercredi jeudi vendredi samedi dimanche aime voir parle ça
        beaucoup j' qu' s' c' m' t' lorsqu'""",
    "es": """yo tú él ella nosotros nosotras ustedes vosotros ellos ellas me te se nos os lo los la las el le les mi mis
        tu tus su sus un una unos unas del al de y e o u pero porque que qué quien quién cuál cuándo cuando dónde
        donde cómo como cuánto cuánta cuántos por para con sin sobre entre desde hasta hacia en a no sí si ya
        también muy más menos nunca siempre es soy eres somos son está estoy estás están estaba estuve era eran fue
        fui fueron ha he has han hemos había hay hace tengo tiene tienes tienen tenía hacer ir voy vas va vamos van
        este esta estos estas ese esa eso esto aquí allí ahí todo todos toda todas algo nada nadie mucho muchos bien
        gracias hola ayer hoy anteayer mañana anoche semana semanas mes meses año años día días pasado pasada
        próximo próxima llamo llama vivo vive vivía trabajo trabaja dos tres cuatro cinco lunes martes miércoles
        jueves viernes sábado domingo compré dije cada dentro gusta encanta casa hermano carta""",
    "it": """io tu lui lei noi voi loro mi ti si ci vi lo la li le gli il un uno una dei degli delle del dello della
        dell' al allo alla agli alle dal dalla nel nello nella nell' nei sul sulla di a da in con su per tra fra e
        ed o ma perché che chi cui cosa dove quando come quanto quale quali non più mai è sono sei siamo siete ero
        era eravamo erano ho hai ha abbiamo avete hanno aveva avevo stato stata fatto fare faccio fa va vado vai
        andare andato andata sto sta stai mio mia miei mie tuo tua suo sua suoi nostro nostra questo questa questi
        quello quella anche ancora già sempre molto tutto tutti tutta qualcosa niente bene grazie ciao sì no se poi
        qui lì c'è c'era ieri oggi domani settimana settimane mese anno anni giorni giorno scorso scorsa prossimo
        prossima abito abita vivo vive lavoro chiamo chiama due tre quattro cinque dov'è cos'è l'ho l'anno lunedì
        martedì mercoledì giovedì venerdì sabato domenica piace ogni casa l' un' all' sull' dall' c' d' quest'""",
    "pt": """eu tu ele ela nós vós eles elas você vocês me te se lhe nos o a os as um uma uns umas do da dos das no na
        nas ao à aos às pelo pela de em e ou mas porque que quem qual quais quando onde como quanto quantos por para
        com sem sobre entre desde até não sim já também muito mais menos nunca sempre é sou és somos são está estou
        estás estão estava estive era eram foi fui foram tem tenho tens têm tinha há ter ser fazer vou vais vai
        vamos vão meu minha meus minhas teu tua seu sua nosso nossa este esta isto isso esse essa aqui ali lá tudo
        todos toda todas algo nada ninguém bem obrigado obrigada olá ontem hoje amanhã anteontem semana semanas mês
        meses ano anos dias dia passado passada próximo próxima chamo chama moro mora morava dois duas três quatro
        cinco atrás depois num numa deste desta segunda terça quarta quinta sexta sábado domingo gosto gosta nasceu
        vem dentro cada casa irmão""",
    "nl": """ik jij je hij zij ze wij we jullie u mij me jou hem haar ons hen hun de het een en of maar want omdat dat
        die dit deze als niet geen wel is ben bent zijn was waren had hadden heb hebt heeft hebben wordt worden werd
        werden kan kun kunnen moet moeten mag wil wilt zal zullen zou op aan in uit bij met naar van voor door over
        onder tegen tussen zonder om te ten ter waar wanneer waarom wie wat hoe welke welk mijn jouw onze uw er hier
        daar ook nog al heel erg altijd nooit weer dan toen toch veel meer alle alles iets niets zo graag ja nee
        sinds tot goed gisteren vandaag morgen eergisteren overmorgen week weken maand jaar jaren dagen dag geleden
        vorige vorig volgende volgend afgelopen woon woont woonde werk werkt heet ga gaat gaan ging kwam zei twee
        drie vier vijf thuis m'n z'n zich hoeveel goedemorgen allemaal hallo elke hou""",
    "--": """jeg og ikke det er var har til på fra av af som med jag inte är och att från för om vi ni den igår imorgen
        går gjorde min hvor hvad vad heter bor hun han amb els és aquest aquesta jo però i ahir avui demà dels què
        on són molt meva visc și este nu cu sunt pentru din mai ce eu lui ieri astăzi mâine în unde ek nie het was
        gister môre vandag my ja się jest na do że to jak gdzie wczoraj jutro dziś jsem je se není včera zítra bir
        ve bu için dün yarın bugün ben sen onte mañá hoxe unha non moi tamén onde minä olen ei eilen huomenna ok""",
    "en": """got get go went going gone said say says like know think thought see saw day time today yesterday tomorrow
        last next week month year years days ago one two three people make made take took come came good new first
        way even much many because still never always want need back well around also been called call favorite
        favourite friend work live lives found find tell told please love born shut everything sold total recently
        changed the of and to with word means name named without us set die died dead read write play played game
        book movie film song house home car job school city town country world life family mother father mom mum dad
        brother sister son daughter wife husband boy girl child kids man woman men women dog cat cats dogs food eat
        ate drink sleep walk run buy bought sell money things thing something nothing anything every everyone
        someone little big great nice best better old young long small morning night afternoon evening tonight
        weekend monday tuesday wednesday thursday friday saturday sunday i'm it's don't can't 's 've 'll 're 'm 'd
        n't use used using show let try put keep start started help looking feel felt left right sure maybe may
        might must shall would could today's both im dont cant met couple friends mon tue wed thu fri sat sun
        another between since until during ever already yet soon later early""",
}
_ENDINGS = {
    "de": r"\w{2,}(?:ung|keit|heit|schaft|lich|isch|chen|ieren)|\w*(?:sch|pf)\w+",
    "fr": r"\w{2,}(?:eux|euse|eau|eaux|aient|ais|ez|ique|ette|erie)|\w+é(?:e|s|es)?",
    "es": r"\w{2,}(?:ción|ciones|ó|aron|ieron|aba|aban|illa|illo|dad|ía|é)",
    "it": r"\w{2,}(?:zione|zioni|ità|ggio|etto|etta|issimo|ò)|\w+(?:cch|zz|gli)\w+",
    "pt": r"\w{2,}(?:ção|ções|ão|ões|ãe|inho|inha|aram|eiro|eira|ou)",
    "nl": r"\w*(?:ij|aa|uu|ieuw|eeuw)\w*|\w{2,}(?:lijk|heid|tje|tjes)",
}
_LETTERS = {"de": "ß", "es": "ñ¿¡", "pt": "ãõ", "fr": "œ", "--": "åøæăâîșțłąęśżźćčřěůğşıőűíďťňľŀ"}
_LETTERS_WORTH, _ENDINGS_WORTH = 0.4, 0.3
_MOST_ENDINGS = 2
_ENOUGH, _AHEAD, _TIMES_AS_MUCH = 0.6, 0.4, 1.1  # what it takes to be clear
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30fa\u30fc]")
_HANGUL = re.compile("[\uac00-\ud7af]")
_CYRILLIC_WORD = re.compile("[\u0400-\u04ff]+")
_NOT_RUSSIAN = re.compile(
    "[іїєґўђјљњћџќѓѕ]|\\b(?:съм|са|ще|какво|къде|аз|няма|беше|моят|сегодні|що|як|де|гдје|шта|ли си|коя|тук|вече)\\b"
)
_LATIN_WORD = re.compile("[a-z\u00df-\u024f]+(?:'[a-z\u00df-\u024f]+)*", re.IGNORECASE)
_CAPITAL = "[A-Z\u00c0-\u00de]"
# Names: capitals inside a sentence, but "I", with what joins two of them ("Rio de Janeiro").
_JOINING = "d[aeo]s?|di|del|della|van|von|der|la|le"
_NAMES = re.compile(rf"(?:(?<=\w )|(?<=[,;] ))(?!I\b){_CAPITAL}[\w'-]*(?: (?:{_JOINING})(?= {_CAPITAL}))*")
_CHARS_A_WORD = 2  # Han, kana and Hangul hold more a character


def _weights() -> dict[str, dict[str, float]]:
    lists = {language: set(said.split()) for language, said in _SMALL_WORDS.items()}
    lists["en"] |= STOP_WORDS
    shared = Counter(word for said in lists.values() for word in said)
    return {
        word: {language: 0.5 + 0.5 / count for language, said in lists.items() if word in said}
        for word, count in shared.items()
    }


_WEIGHTS = _weights()
_ENDING = {language: re.compile(rf"(?:{endings})") for language, endings in _ENDINGS.items()}
_LETTER = {language: re.compile(f"[{letters}]") for language, letters in _LETTERS.items()}
_LANGUAGES: dict[str, Language] = {language: language for language in get_args(Language)}


def language_of(text: str) -> Language | None:
    """Return the language of `text`, a question as short as "Wo wohne ich?" too; None where it is not clear."""
    text = text.replace("\u2019", "'")
    latin = _latin_words(text)
    if text.isascii():
        return _by_words(latin, "")
    lowered = text.lower()
    han, kana, hangul = (len(script.findall(lowered)) for script in (_HAN, _KANA, _HANGUL))
    sizes = {
        "ja": (han + kana) / _CHARS_A_WORD,
        "ko": hangul / _CHARS_A_WORD,
        "ru": len(_CYRILLIC_WORD.findall(lowered)),
        "latin": len(latin),
    }
    script = max(sizes, key=lambda name: sizes[name])
    if not sizes[script] or sum(size >= sizes[script] for size in sizes.values()) > 1:
        return None
    if script == "latin":
        return _by_words(latin, lowered)
    if script == "ja":
        return "ja" if kana else "zh"
    if script == "ru" and _NOT_RUSSIAN.search(lowered):
        return None
    return _LANGUAGES[script]


def shows_language(text: str) -> bool:
    """Return whether a text holds a letter or a word by which a language is known here."""
    text = text.replace("\u2019", "'")
    return not text.isascii() or any(map(_evidence, _latin_words(text)))


def _latin_words(text: str) -> list[str]:
    """Return the words in Latin letters, in lower case, but for the names: the capitals inside a sentence."""
    return _LATIN_WORD.findall(_NAMES.sub(" ", text).lower())


def _evidence(word: str) -> dict[str, float]:
    """Return what a word weighs for each language; of "j'aime" and "we've", what their parts do."""
    if word in _WEIGHTS or "'" not in word:
        return _WEIGHTS.get(word, {})
    head, _, tail = word.partition("'")
    evidence = dict(_WEIGHTS.get(f"{head}'", {}))
    for part in (tail, f"'{tail}", head):
        for language, weight in _WEIGHTS.get(part, {}).items():
            evidence[language] = evidence.get(language, 0.0) + weight
    return evidence


def _by_words(said: list[str], text: str) -> Language | None:
    scores: dict[str, float] = {}
    for word in said:
        for language, weight in _evidence(word).items():
            scores[language] = scores.get(language, 0.0) + weight
    for language, letters in _LETTER.items():
        if letters.search(text):
            scores[language] = scores.get(language, 0.0) + _LETTERS_WORTH
    for language, ending in _ENDING.items():
        matching = sum(1 for word in said if word not in _WEIGHTS and ending.fullmatch(word))
        scores[language] = scores.get(language, 0.0) + _ENDINGS_WORTH * min(matching, _MOST_ENDINGS)
    (best, score), (_, second), *_ = sorted(scores.items(), key=lambda item: -item[1])
    clear = score >= _ENOUGH and score >= second + _AHEAD and score >= second * _TIMES_AS_MUCH
    return _LANGUAGES.get(best) if clear else None
