"""German."""

from language.vocabularies.vocabulary import Vocabulary

__all__ = ["GERMAN"]

_OF_DAY = "(?: (?:früh|morgen|vormittag|mittag|nachmittag|abend|nacht))?"
_LAST = "(?:letzte|vorige|vergangene)"
_NEXT = "(?:nächste|kommende)"
_DAYS = "montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag"
_TIMES = f"tage?|woche|monat|jahr|mal|morgen|vormittag|mittag|nachmittag|abend|nacht|wochenende|stunde|{_DAYS}"
_HAVE = "(?:habe|hast|hat|haben|habt|bin|bist|ist|sind|seid)"

GERMAN = Vocabulary(
    near_days={
        "vorvorgestern": -3,
        f"vorgestern{_OF_DAY}": -2,
        f"gestern{_OF_DAY}": -1,
        "(?:letzte|vorige|vergangene|in der (?:letzten|vergangenen)) nacht": -1,
        "heute(?: (?:früh|morgen|vormittag|mittag|nachmittag|abend))?": 0,
        f"(?:über|ueber)morgen{_OF_DAY}": 2,
        f"morgen{_OF_DAY}": 1,
    },
    today=f"heute{_OF_DAY}",
    spans={
        "vorletzte[r]? woche": ("week", -2),
        f"{_LAST}r? woche|in der (?:vorigen|vergangenen) woche": ("week", -1),
        "diese[r]? woche": ("week", 0),
        f"{_NEXT}r? woche": ("week", 1),
        "(?:übernächste|uebernächste)r? woche": ("week", 2),
        f"(?:am )?{_LAST}[ns] wochenende": ("weekend", -1),
        "(?:im )?vorletzten monat": ("month", -2),
        f"{_LAST}[nr] monats?|im (?:vorigen|vergangenen) monat": ("month", -1),
        "diese[nmrs] monats?": ("month", 0),
        f"{_NEXT}[nr] monats?|im (?:nächsten|kommenden) monat": ("month", 1),
        "(?:im )?vorletzte[ns] jahr(?:es)?": ("year", -2),
        f"im {_LAST}n jahr|{_LAST}[ns] jahr(?:es)?": ("year", -1),
        "diese[sm] jahr(?:es)?|heuer": ("year", 0),
        f"im {_NEXT}n jahr|{_NEXT}[ns] jahr(?:es)?": ("year", 1),
        "(?:im )?übernächste[ns] jahr(?:es)?": ("year", 2),
    },
    weekdays=("montag", "dienstag", "mittwoch", "donnerstag", "freitag", "samstag|sonnabend", "sonntag"),
    week_days={
        f"{_LAST}[nr]? woche (?:am )?{{day}}|(?:am )?{{day}} (?:der )?{_LAST}[nr] woche": -1,
        "diese woche (?:am )?{day}|(?:am )?{day} dieser woche": 0,
        f"{_NEXT}[nr]? woche (?:am )?{{day}}|(?:am )?{{day}} (?:der )?{_NEXT}[nr] woche": 1,
    },
    last_weekday="(?:am )?(?:letzten|vergangenen) {day}",
    numbers={"eine[mnr]?": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "sieben": 7, "acht": 8, "neun": 9}
    | {"zehn": 10, "elf": 11, "zwölf": 12},
    units={"tage?n?": "day", "wochen?": "week", "monate?n?": "month", "jahre?n?": "year"},
    ago="vor (?:genau )?{count}",
    ahead="in (?:genau )?{count}",
    today_ago="{today} vor (?:genau )?{count}|(?:genau )?vor (?:genau )?{count} {today}",
    never=(
        r"(?:guten?|schönen?|am|der|den|dem|ein|eine[sm]|eines schönen|jede[nr]|diese[rnm]|früh\w+|nächsten|"
        "ganzen?|gegen|zum|im) morgen|heute nacht|von heute auf morgen|heute oder morgen|gestern oder heute|"
        "(?:schnee|nicht|welt|mode) von gestern|(?:vor|nach) (?:vor)?gestern|(?:nach|vor) heute|(?:vor|"
        "nach) (?:über)?morgen|über kurz oder lang|(?:vor|in) acht tagen|(?:vor)?gestern (?:vor|in) {count}|"
        "(?:über)?morgen (?:vor|in) {count}|heute in {count}|(?:vor|nach) de[rm] (?:letzten|vorigen|"
        rf"nächsten) \w+|das heute|hier und heute|(?:{_DAYS}) (?:vor|in) {{count}}|letzte woche vor \w+"
    ),
    after_near_day=" oder (?:vor|über)?(?:gestern|heute|morgen)",
    before_near_day="(?:gestern|heute|morgen) oder ",
    before_span="(?:die|der|das|den|dem|eine|ganze|meine|unsere|seine|ihre|jede[rsn]?|aller|vor|nach|im|und) ",
    after_span=(
        " (?:des|der|vor|nach (?:der|dem|den|weihnachten|ostern)|seine[sr]|ihre[sr]|meine[sr]|unsere[sr]|vom|"
        r"eines|einer|jedes|im (?:jan|feb|mär|apr|mai|jun|jul|aug|sep|okt|nov|dez|monat|jahr|quartal)\w*)"
    ),
    before_distance=(
        r"(?:steh\w*|stand|standen|kurz|lang|mehr als|weniger als|länger als|spätestens|frühestens|mindestens|"
        r"höchstens|maximal|angst|respekt|ungefähr|etwa|circa|ca\.|zirka|rund|gut|knapp|fast|beinahe|nahezu|über|"
        r"seit|schätzungsweise|vielleicht|nur|so|oder|schaff\w+|erst) "
    ),
    after_distance=(
        r" (?:oder|bis|und (?:{number}|\d+|halb|einige|ein paar)|beginn|begann?|lang|nach|arbeit|urlaub|pause|"
        "haft|krieg|herum|plus|vor(?! ort))"
    ),
    saying=(
        r"morgen (?:ist|wird) (?:\w+ ){0,3}(?:neuer |anderer )?tag|heute (?:kannst|kann|"
        r"können)\b[^.]* morgen|als (?:wäre|ob) (?:es |das )?(?:erst )?(?:\w+ )?gestern|wie gestern|"
        r"(?:sagt|sagte|meint|meinte)(?: \w+){1,3} immer|wie(?: \w+){1,3} (?:immer )?(?:sagt|sagte|"
        r"zu sagen pflegte?)"
    ),
    habit=(
        rf"jede[nsmr]? (?:\w+ )?(?:{_TIMES})n?|alle (?:\w+ )?(?:tage|wochen|monate|jahre|stunden)|(?:mon|diens|"
        "mitt?wo|donners|frei|sams|sonn)(?:tag|ch)s|immer wenn|normalerweise|gewöhnlich|üblicherweise"
    ),
    past=(
        "war|waren|warst|hatten?|hattest|wurden?|gab|kam|kamen|ging|gingen|sagten?|starb|fuhr|flog|konnten?|"
        "wollten?|mussten?|fanden?|stand|geschafft|gelesen|gemacht|fertig|erledigt|geschrieben|gebaut|gelernt|"
        rf"{_HAVE} [^,]*\b(?:\w*ge\w\w+(?:t|en)|(?:be|er|ver|ent|zer|über|unter)\w+(?:t|en))"
    ),
    future=(
        r"werde|wirst|wird|werdet|werden|ist|sind|bin|habe|hat|haben|muss|müssen|soll|sollen|will|"
        "wollen|möchte|kommst?|komme|kommen|kommt|fliege|fliegt|fliegen|fahre|fährt|fahren|reise|reist|reisen|"
        "beginnt|fängt|startet|endet|findet|ziehe|zieht|ziehen|treffe|trifft|treffen|heirate|heiratet|heiraten|"
        "feiere|feiern|feiert|besuche|besucht|besuchen|bekomme|bekommt|gehe|geht|gehen|sehen|läuft|öffnet|"
        "schließt|verlasse|verlassen"
    ),
    seasons=("frühling|frühjahr", "sommer", "herbst", "winter"),
    last_season=f"(?:im )?{_LAST}[ns] {{season}}",
    month_names=(
        r"jan(?:uar|\.)|jänner",
        r"feb(?:ruar|\.)",
        "märz",
        r"apr(?:il|\.)",
        "mai",
        "juni",
        "juli",
        r"aug(?:ust|\.)",
        r"sept(?:ember|\.)",
        r"okt(?:ober|\.)",
        r"nov(?:ember|\.)",
        r"dez(?:ember|\.)",
    ),
    calendar=r"(?:am )?{date}\. ?{month_name}(?: {year})?",
    before_date=r"(?:\d\.? ?[-–/,]|bis|bis zum|und|oder|straße des|platz des|um den|etwa|jede[nrs]) ?",
    after_date=r" ?(?:[-–/]|bis|und \d|oder \d|letzten|vorigen|vergangenen|dieses|nächsten|kommenden|jede[ns])",
    yearly=r"geburtstag\w*|geboren\w*|\w*jahrestag|\w*hochzeitstag|namenstag|feiertag|jährlich|feier\w*",
    told=(
        "war|waren|warst|hatten?|hattest|wurden?|gab|kam|kamen|ging|gingen|starb|fuhr|flog|fand|(?:habe|hast|hat|"
        r"haben|habt) [^,]*\b(?:\w*ge\w\w+(?:t|en)|(?:be|er|ver|ent|zer|über|unter)\w+(?:t|en))|(?:bin|bist|ist|"
        r"sind) [^,]*\b\w*(?:gefahren|gegangen|gekommen|gezogen|geflogen|gestorben|gefallen|gestürzt|geblieben|"
        "gewesen|passiert)"
    ),
    capitalised="Morgen(?! [a-zäöü])",
    hints=(
        "(?:(?:vor)*gestern|heute|(?:über|ueber)?morgen|nacht|wochen?|wochenende|monate?[ns]?|jahre?[sn]?|jahres|"
        "heuer|tagen?|einem|(?:letzte[ns]|vergangene[ns]|vorige[ns]))"
    ),
)
