"""French."""

from language.vocabularies.vocabulary import Vocabulary

__all__ = ["FRENCH"]

_OF_DAY = "(?: (?:matin|midi|après-midi|soir|en (?:fin|début) (?:de (?:matinée|soirée|journée)|d'après-midi)))?"
_LAST = "(?:derni(?:er|ère)|passée?)"
_DAYS = "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche"
_TIMES = (
    f"jours?|semaines?|mois|années?|ans?|fois|matins?|soirs?|nuits?|week-?ends?|heures?|{_DAYS}|étés?|hivers?|"
    "printemps|automnes?"
)

FRENCH = Vocabulary(
    near_days={
        f"avant-hier{_OF_DAY}": -2,
        f"hier{_OF_DAY}|hier dans la (?:matinée|soirée|journée|nuit)": -1,
        f"la nuit {_LAST}": -1,
        "aujourd'hui|ce (?:matin|soir)|cet après-midi": 0,
        f"après-demain{_OF_DAY}": 2,
        f"demain{_OF_DAY}": 1,
    },
    today="aujourd'hui",
    spans={
        f"la semaine {_LAST}": ("week", -1),
        "cette semaine(?:-ci)?": ("week", 0),
        "la semaine prochaine|la semaine qui vient": ("week", 1),
        f"le week-?end {_LAST}": ("weekend", -1),
        f"(?:le|du|au) mois {_LAST}": ("month", -1),
        "ce mois(?:-ci)?": ("month", 0),
        "(?:le|du|au) mois prochain|le mois qui vient": ("month", 1),
        f"l'an(?:née)? {_LAST}": ("year", -1),
        "cette année": ("year", 0),
        "l'an(?:née)? prochaine?|l'année qui vient": ("year", 1),
    },
    weekdays=tuple(_DAYS.split("|")),
    week_days={
        f"(?:le |du )?{{day}} de la semaine {_LAST}|la semaine {_LAST},? {{day}}": -1,
        "(?:le |du )?{day} de cette semaine": 0,
        "(?:le |du )?{day} de la semaine prochaine|la semaine prochaine,? {day}": 1,
    },
    last_weekday=f"(?:le )?{{day}} {_LAST}",
    numbers={
        "une?": 1,
        "deux": 2,
        "trois": 3,
        "quatre": 4,
        "cinq": 5,
        "six": 6,
        "sept": 7,
        "huit": 8,
        "neuf": 9,
        "dix": 10,
    }
    | {"onze": 11, "douze": 12},
    units={"jours?": "day", "semaines?": "week", "mois": "month", "ans?|années?": "year"},
    ago="il y a (?:exactement |tout juste |juste )?{count}|y a {count}",
    ahead="dans (?:exactement )?{count}",
    today_ago="il y a (?:exactement )?{count}(?:,? jour pour jour|,? {today})|{today},? il y a (?:exactement )?{count}",
    never=(
        "(?:pas|né|née|nés) d'hier|avant hier|après demain|avant demain|(?:jour|veille|lendemain)s? (?:d'hier|"
        "d'avant-hier|de demain)|(?:jours?|semaines?|mois|ans?) (?:avant|après) (?:avant-)?(?:hier|demain|"
        "aujourd'hui)|(?:il y a|dans) huit jours|(?:hier|demain),? (?:il y a|dans) {count}|du jour au lendemain|"
        "aujourd'hui encore|le monde de demain|(?:{day}) (?:il y a|dans) {count}|au jour d'aujourd'hui|"
        "passée? (?:à|avec|ensemble|chez|en|dans)|les (?:jeunes|gens|hommes|femmes) d'aujourd'hui"
    ),
    before_near_day="(?:hier|demain|aujourd'hui) ou (?:d')?",
    after_near_day=" ou (?:avant-|après-)?(?:hier|demain|aujourd'hui)",
    before_span="(?:toute|pendant toute|durant toute|avant|après|que) ",
    after_span=(
        " (?:du|de l'\\w+|d'avant|avant|après (?:le|la|les)|de (?:mai|juin|juillet|mars|avril|janvier|février|"
        "décembre|vacances|cours|travail))"
    ),
    before_distance=(
        "(?:jours?|semaines?|mois|ans?|années?|heures?|qu'|environ|presque|près de|plus de|moins de|à peu près|"
        "peut-être|ou|d'ici|il n'|n'|depuis|chaque|encore|avant|au moins) ?"
    ),
    after_distance=(
        r",? (?:que|qu'\w+|de|d'\w+|des|ou|à|entre|avant|après|pour|environ|et (?:{number}|\d+|demie?|quelques)|"
        r"et plus|max\w*|dans (?:une|la|le|un|chaque|cette) (?:semaine|année|mois|an)|où|par|maximum|au moins|"
        r"au plus|peut-être|qui|en (?:mai|tout))\b"
    ),
    saying=(
        r"demain (?:est|sera|c'est|ce sera) (?:\w+ ){0,2}(?:autre |nouveau )jour|demain il fera jour|"
        r"comme si c'était hier|comme hier|demain ce qu\w*|disait(?: \w+){1,3}|comme (?:on dit|"
        r"dit(?: \w+){1,3}|(?:\w+ ){1,2}dit)"
    ),
    habit=(rf"(?:chaque|tous les|toutes les) (?:\w+ )?(?:{_TIMES})|d'habitude|habituellement|normalement|en général"),
    past=(
        r"étai(?:s|t|ent)|avai(?:s|t|ent)|\w{2,}(?:ait|aient)|fut|fit|eut|dit|partit|vint|prit|mit|\w{2,}èrent|"
        r"\w{2,}irent|(?:ai|as|a|avons|avez|ont|suis|es|est|sommes|êtes|sont) (?:\w+ )?\w+(?:é|ée|és|ées|u|ue|us|"
        "ues|is|ise|it|ite|i|ie|int|ert)"
    ),
    seasons=("printemps", "été", "automne", "hiver"),
    last_season=f"(?:l'|le |du |au ){{season}} {_LAST}",
    month_names=(
        r"janv(?:ier|\.)",
        r"févr(?:ier|\.)",
        "mars",
        r"avr(?:il|\.)",
        "mai",
        "juin",
        r"juil(?:let|\.)",
        "août",
        r"sept(?:embre|\.)",
        r"oct(?:obre|\.)",
        r"nov(?:embre|\.)",
        r"déc(?:embre|\.)",
    ),
    calendar="(?:le )?{date}(?:er)? {month_name}(?: {year})?",
    before_date=r"(?:\d(?:er)? ?[-–/,]|au|et|et le|ou|ou le|rue du|place du|avenue du|boulevard du|vers le|chaque) ?",
    after_date=r" ?(?:[-–/]|au|et (?:le )?\d|ou (?:le )?\d|dernier|prochain|de (?:l'|cette|chaque))",
    yearly=r"anniversaires?|née?s?|naître|naiss\w+|naquit|fête\w*|férié\w*",
    told=(
        r"étai(?:s|t|ent)|avai(?:s|t|ent)|fut|fit|partit|(?:ai|as|a|avons|avez|ont) (?:\w+ )?\w+(?:é|ée|és|ées|u|"
        r"ue|us|is|ise|it|ite|i|int|ert)|j'ai (?:\w+ )?\w+(?:é|ée|és|u|ue|is|ise|it|ite|i|int|ert)|(?:suis|es|est|"
        r"sommes|êtes|sont) (?:\w+ )?(?:allé|venu|revenu|parti|arrivé|sorti|entré|rentré|retourné|tombé|resté|"
        r"mort|devenu|passé)\w*"
    ),
    hints=(
        "(?:hier|aujourd'hui|demain|matin|soir|nuit|semaines?|mois|ans|l'an|années?|l'année|cet|"
        f"jours?|y(?!')|dans|{_DAYS}|derni(?:er|ère)|passée?)"
    ),
)
