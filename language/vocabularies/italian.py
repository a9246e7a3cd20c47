"""Italian."""

from language.vocabularies.vocabulary import Vocabulary

__all__ = ["ITALIAN"]

_OF_DAY = (
    "(?: (?:mattina|pomeriggio|sera|notte)| (?:a|all'ora di) (?:mezzogiorno|pranzo|cena)| nel pomeriggio| in serata)?"
)
_LAST = "(?:scors[oa]|passat[oa])"
_DAYS = "lunedì|martedì|mercoledì|giovedì|venerdì|sabato|domenica"
_TIMES = (
    f"giorn[oi]|settiman[ae]|mes[ei]|ann[oi]|volt[ae]|mattin[ae]|ser[ae]|nott[ei]|week-?end|{_DAYS}|estat[ei]|"
    "invern[oi]"
)

ITALIAN = Vocabulary(
    near_days={
        f"(?:l')?altro ieri{_OF_DAY}|l'altroieri|ieri l'altro|avantieri|altroieri": -2,
        f"ieri{_OF_DAY}": -1,
        "la notte scorsa|la scorsa notte": -1,
        "oggi(?: pomeriggio)?|stamattina|stamani|stamane|stasera|questa (?:mattina|sera)|questo pomeriggio": 0,
        f"dopodomani{_OF_DAY}|dopo domani": 2,
        f"domani{_OF_DAY}": 1,
    },
    today="oggi",
    spans={
        f"settimana {_LAST}|scorsa settimana": ("week", -1),
        "questa settimana": ("week", 0),
        "(?:settimana prossima|prossima settimana|settimana che viene)": ("week", 1),
        (
            "(?:il |lo |nel |nello )?(?:(?:fine settimana|week-?end) (?:scorso|passato)|scorso (?:fine settimana|"
            "week-?end))"
        ): (
            "weekend",
            -1,
        ),
        f"mese {_LAST}|scorso mese": ("month", -1),
        "questo mese": ("month", 0),
        "mese prossimo|prossimo mese|mese che viene": ("month", 1),
        f"anno {_LAST}|scorso anno": ("year", -1),
        "quest'anno": ("year", 0),
        "anno prossimo|prossimo anno|anno che viene": ("year", 1),
    },
    weekdays=(
        "lunedì|lunedi",
        "martedì|martedi",
        "mercoledì|mercoledi",
        "giovedì|giovedi",
        "venerdì|venerdi",
        "sabato",
        "domenica",
    ),
    week_days={
        f"{{day}} della (?:settimana {_LAST}|scorsa settimana)|(?:settimana {_LAST}|scorsa settimana),? {{day}}": -1,
        "{day} di questa settimana": 0,
        "{day} della (?:prossima settimana|settimana prossima)|(?:prossima settimana|settimana prossima),? {day}": 1,
    },
    last_weekday=f"{{day}} {_LAST}|(?:lo|la|dello|della|dallo|dalla) scors[oa] {{day}}",
    numbers={
        "un[oa]?": 1,
        "due": 2,
        "tre": 3,
        "quattro": 4,
        "cinque": 5,
        "sei": 6,
        "sette": 7,
        "otto": 8,
        "nove": 9,
        "dieci": 10,
    }
    | {"undici": 11, "dodici": 12},
    units={"giorn[oi]": "day", "settiman[ae]": "week", "mes[ei]": "month", "ann[oi]": "year"},
    ago="(?:esattamente )?{count} (?:or sono|fa)|un'? ?anno fa",
    ahead="(?:tra|fra) (?:esattamente )?{count}",
    today_ago="{today},? (?:esattamente )?{count} fa|{count} fa,? (?:esattamente )?{today}",
    never=(
        "al giorno d'oggi|oggi come oggi|oggi giorno|un domani|dall'oggi al domani|oggi o domani|(?:prima|"
        "dopo) di (?:ieri|oggi|domani)|nat[oai] ieri|giorn[oi] (?:prima|dopo) (?:di )?(?:ieri|oggi|domani|"
        "l'altro ieri)|otto giorni fa|(?:tra|fra) otto giorni|(?:ieri|domani),? (?:tra|fra) {count}|(?:ieri|"
        "domani),? {count} fa|tra {count} e|fra {count} e|(?:{day}) (?:tra|fra) {count}|mondo di (?:ieri|domani)|"
        "passat[oa] (?:a|con|insieme|in|da|tra)"
    ),
    before_near_day="(?:ieri|oggi|domani) o ",
    after_near_day=" o (?:ieri|l'altro ieri|oggi|domani|dopodomani)",
    before_span="(?:una|un|tutta la|tutto il|prima della?|dopo la) ",
    after_span=" (?:prima|di (?:maggio|giugno|luglio|vacanza|scuola)|delle vacanze)",
    before_distance=(
        r"(?:circa|quasi|più di|meno di|oltre|almeno|da|un paio di|qualcosa come|{number} o|\d+ o|{number} e|o|e|"
        "forse|intorno a|approssimativamente|giorn[oi] e|settiman[ae] e|mes[ei] e|ann[oi] e|entro|fino a|ogni) "
    ),
    after_distance=(
        r",? (?:circa|o (?:{number}|\d+|forse|più|giù)|e (?:{number}|\d+|mezzo|mezza|qualche)|più o meno|che|di|"
        r"dopo|prima|da)\b"
    ),
    saying=(
        r"domani (?:è|sarà) (?:\w+ )?(?:altro|nuovo) giorno|come (?:se fosse )?ieri|domani (?:quello|"
        r"ciò) che|diceva(?: \w+){1,3}|come (?:si )?dice(?: \w+){0,3}"
    ),
    habit=(
        rf"ogni (?:\w+ )?(?:{_TIMES})|tutt[ie] (?:i|le|gli) (?:\w+ )?(?:{_TIMES})|di solito|normalmente|"
        "abitualmente"
    ),
    past=(
        r"era|erano|ero|eravamo|aveva|avevano|avevo|stava|fu|disse|\w{2,}(?:ava|avano|avo|eva|evano|evo|iva|ivano|"
        "arono|irono|(?<!r)ò)(?<!però)(?<!può)|(?:ho|hai|ha|abbiamo|avete|hanno|sono|sei|è|siamo|"
        r"siete) (?:\w+ )?\w+(?:at[oaie]|ut[oaie]|it[oaie]|tt[oaie]|rs[oaie]|ss[oaie]|st[oaie])|"
        r"\w+ì(?<!dì)(?<!così)(?<!sì)(?<!lì)"
    ),
    seasons=("primavera", "estate", "autunno", "inverno"),
    last_season="(?:la |l'|lo )?(?:{season} scors[oa]|scors[oa] {season})",
    month_names=(
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ),
    calendar="(?:il |l')?{date}º? {month_name}(?: (?:del )?{year})?",
    before_date=r"(?:\d ?[-–/,]|al|e|e il|o|o il|via|viale|piazza|corso|verso il|ogni) ?",
    after_date=r" ?(?:[-–/]|al|e (?:il )?\d|o (?:il )?\d|scorso|passato|prossimo|di (?:quest|ogni)|dell'anno)",
    yearly=r"compleann[oi]|nat[oaie]|nacque|nascita|anniversario|onomastico|fest\w+",
    told=(
        r"er[ao]|erano|aveva|avevo|avevano|(?:ho|hai|ha|abbiamo|avete|hanno) (?:\w+ )?\w+(?:at[oaie]|ut[oaie]|"
        "it[oaie]|tt[oaie]|rs[oaie]|ss[oaie]|st[oaie])|(?:mi|ti|si|ci|vi) (?:sono|sei|è|siamo|"
        r"siete) (?:\w+ )?\w+(?:at|ut|it|s)[oaie]|(?:sono|sei|è|siamo|siete) (?:\w+ )?(?:andat|venut|partit|"
        "arrivat|tornat|uscit|entrat|mort|cadut|rimast|stat)[oaie]"
    ),
    hints=(
        "(?:ieri|altroieri|avantieri|oggi|stamattina|stamani|stamane|stasera|mattina|sera|pomeriggio|notte|"
        "domani|dopodomani|settiman[ae]|mes[ei]|ann[oi]|giorn[oi]|scors[oa]|passat[oa])"
    ),
)
