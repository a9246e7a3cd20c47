"""Dutch."""

from language.vocabularies.vocabulary import Vocabulary

__all__ = ["DUTCH"]

_OF_DAY = "(?:ochtend|middag|avond|nacht)"
_LAST = "(?:vorige?|verleden)"
_DAYS = "maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag"
_TIMES = (
    "dag|dagen|week|weken|maand|maanden|jaar|jaren|keer|ochtend|morgen|middag|avond|nacht|weekend|uur|"
    f"{_DAYS}|zomer|winter|lente|herfst"
)

DUTCH = Vocabulary(
    near_days={
        f"eergister(?:en)?(?:{_OF_DAY}| {_OF_DAY})?": -2,
        f"gister(?:en)?(?:{_OF_DAY}| {_OF_DAY})?": -1,
        "(?:afgelopen|vorige) nacht": -1,
        "vandaag|vanochtend|vanmorgen|vanmiddag|vanavond": 0,
        f"overmorgen(?: ?{_OF_DAY})?": 2,
        f"morgen(?: ?{_OF_DAY}|vroeg| vroeg)?": 1,
    },
    today="vandaag",
    spans={
        f"{_LAST} week": ("week", -1),
        "deze week": ("week", 0),
        "(?:volgende|komende) week": ("week", 1),
        "(?:afgelopen|vorig) weekend": ("weekend", -1),
        f"{_LAST} maand": ("month", -1),
        "deze maand": ("month", 0),
        "(?:volgende|komende) maand": ("month", 1),
        f"{_LAST} jaar": ("year", -1),
        "dit jaar": ("year", 0),
        "(?:volgend|komend) jaar": ("year", 1),
    },
    weekdays=tuple(_DAYS.split("|")),
    week_days={
        f"{_LAST} week (?:op )?{{day}}|(?:op )?{{day}} (?:van )?{_LAST} week": -1,
        "deze week (?:op )?{day}|(?:op )?{day} (?:van )?deze week": 0,
        "volgende week (?:op )?{day}|(?:op )?{day} (?:van )?volgende week": 1,
    },
    last_weekday="(?:afgelopen|vorige|verleden) {day}|{day} jongstleden",
    numbers={
        "een|één": 1,
        "twee": 2,
        "drie": 3,
        "vier": 4,
        "vijf": 5,
        "zes": 6,
        "zeven": 7,
        "acht": 8,
        "negen": 9,
        "tien": 10,
    }
    | {"elf": 11, "twaalf": 12},
    units={"dag(?:en)?": "day", "week|weken": "week", "maand(?:en)?": "month", "jaar|jaren": "year"},
    ago="(?:precies )?{count} (?:geleden|terug)",
    ahead="over (?:precies )?{count}",
    today_ago="{today},? (?:precies )?{count} geleden|{count} geleden,? (?:precies )?{today}",
    never=(
        "(?:goede?|de|in de|elke|iedere|die|een|deze|op een|'s|vroege|mooie|hele|volgende|tegen de|van de|"
        "het) morgen|van vandaag op morgen|vandaag of morgen|niet van gisteren|(?:voor|na) (?:eer)?gisteren|"
        "(?:voor|na) (?:morgen|vandaag)|acht dagen geleden|over acht dagen|(?:gisteren|morgen) over {count}|"
        "(?:gisteren|morgen),? {count} geleden|(?:{day}) over {count}|vandaag de dag|vandaag over {count}"
    ),
    before_near_day="(?:gisteren|vandaag|morgen) of ",
    after_near_day=" of (?:eergisteren|gisteren|vandaag|morgen|overmorgen)",
    before_span="(?:(?:week|weken|maand|maanden|jaar|jaren) (?:voor|na)|de|het|een|elke|ieder[e]?|hele|vóór|na) ",
    after_span=" (?:van (?:de|het|mei|juni|juli|augustus|maart|april)|voor (?:de|het|kerst|pasen)|na (?:de|het))",
    before_distance=(
        r"(?:ongeveer|circa|ca\.|zo'n|bijna|ruim|meer dan|minder dan|langer dan|rond de|om en nabij|een stuk of|"
        "krap|goed|minstens|hooguit|hoogstens|al|dagen en|week en|weken en|maand en|maanden en|jaar en|"
        r"{number} (?:of|tot|à)|\d+ (?:of|tot|à)|een dag of|een|om de|elke|misschien|sinds|of|"
        r"gaa[tn]|ging|gingen|praat|praten|praatte|sprak|spreekt|schrijft|schreef|vertel\w*|"
        "denkt?|nadenken|boek|film|artikel|verhaal) "
    ),
    after_distance=(
        r" (?:of (?:{number}|\d+|zo|meer)|en (?:{number}|\d+|een half)|à|ongeveer|lang|verdeeld|verspreid|"
        r"uitge\w+|heen|gedaan|na|voor(?! het eerst))\b"
    ),
    saying=(
        r"morgen (?:is|komt|wordt) (?:er )?(?:\w+ ){0,2}(?:nieuwe |andere |weer een )dag|"
        r"als de dag van gisteren|alsof het (?:\w+ )?gisteren|morgen wat|(?:zegt|"
        r"zei)(?: \w+){1,3} altijd|zoals(?: \w+){1,3} (?:altijd )?(?:zegt|zei)"
    ),
    habit=(
        rf"(?:elke|elk|iedere|ieder|om de) (?:\w+ )?(?:{_TIMES})|alle (?:\w+ )?(?:dagen|weken|maanden|jaren)|"
        "meestal|gewoonlijk|normaal gesproken|doorgaans"
    ),
    past=(
        "was|waren|had|hadden|werd|werden|ging|gingen|kwam|kwamen|zei|zeiden|stond|bleef|deed|dacht|vond|kon|"
        r"konden|moest|wilde|(?:heb|hebt|heeft|hebben|ben|bent|is|zijn) [^,]*\b(?:ge\w{3,}(?:d|t|en)|(?:be|ver|"
        r"ont|her)\w{2,}(?:d|t|en))"
    ),
    seasons=("lente|voorjaar", "zomer", "herfst|najaar", "winter"),
    last_season="(?:afgelopen|vorige?|verleden) {season}",
    month_names=(
        "januari",
        "februari",
        "maart",
        "april",
        "mei",
        "juni",
        "juli",
        "augustus",
        "september",
        "oktober",
        "november",
        "december",
    ),
    calendar="(?:op )?{date} {month_name}(?: {year})?",
    before_date=r"(?:\d ?[-–/,]|tot|tot en met|t/m|en|of|straat|plein|rond|elke|iedere) ?",
    after_date=r" ?(?:[-–/]|tot|t/m|en \d|of \d|jongstleden|vorig|aanstaande|van (?:dit|vorig|elk))",
    yearly=r"verjaardag\w*|geboren|jarig|trouwdag|jubileum|naamdag|feest\w*|vieren|viert|vier",
    told=(
        "was|waren|had|hadden|werd|werden|ging|gingen|kwam|kwamen|zei|vond|kocht|verkocht|(?:heb|hebt|heeft|"
        r"hebben) [^,]*\b(?:ge\w{3,}(?:d|t|en)|(?:be|ver|ont|her)\w{2,}(?:d|t|en))|(?:ben|bent|is|"
        r"zijn) [^,]*\b(?:gegaan|gekomen|verhuisd|vertrokken|gevallen|gestorven|overleden|gebleven|geweest|"
        "gevlogen|begonnen)"
    ),
    future=(
        "zal|zullen|zult|ga|gaat|gaan|ben|is|zijn|heb|hebt|heeft|hebben|moet|moeten|wil|willen|kom|komt|komen|"
        "vlieg|vliegt|vliegen|vertrek|vertrekt|vertrekken|begin|begint|beginnen|eindigt|trouw|trouwt|trouwen|"
        "verhuis|verhuist|verhuizen|reis|reist|reizen|rij|rijdt|rijden|zie|zien|start|opent|sluit"
    ),
    capitalised="Morgen(?! ?[a-zäöüéë])",
    hints=(
        f"(?:(?:eer)?gister(?:en)?{_OF_DAY}?|nacht|vandaag|vanochtend|vanmorgen|vanmiddag|vanavond|"
        f"(?:over)?morgen(?:{_OF_DAY}|vroeg)?|weken|deze|volgende|komende|een|geleden|maand(?:en)?|jaar|jaren|dag(?:en)?|afgelopen|"
        "vorige?|verleden|jongstleden)"
    ),
)
