"""Spanish."""

from language.vocabularies.vocabulary import Vocabulary

__all__ = ["SPANISH"]

_OF_DAY = "(?: (?:por|en|a) la (?:mañana|tarde|noche)| al? (?:mediodía|medio día)| temprano)?"
_DAYS = "lunes|martes|miércoles|jueves|viernes|sábado|domingo"
_TIMES = (
    f"días?|semanas?|mes(?:es)?|años?|veces|vez|mañanas?|tardes?|noches?|fin(?:es)? de semana|{_DAYS}s?|"
    "veranos?|inviernos?|primaveras?|otoños?"
)

SPANISH = Vocabulary(
    near_days={
        f"(?:anteayer|antes de ayer|antier|antesdeayer){_OF_DAY}": -2,
        "anteanoche|antenoche|antes de anoche": -2,
        f"ayer{_OF_DAY}": -1,
        "anoche|la noche pasada": -1,
        f"hoy{_OF_DAY}|esta (?:mañana|tarde|noche)": 0,
        f"pasado mañana{_OF_DAY}": 2,
        f"mañana{_OF_DAY}": 1,
    },
    today="hoy",
    spans={
        "la semana pasada|la pasada semana": ("week", -1),
        "esta(?: misma)? semana": ("week", 0),
        "la (?:próxima semana|semana próxima|semana que viene|semana entrante)": ("week", 1),
        "el fin de semana pasado|el pasado fin de semana": ("weekend", -1),
        "(?:el|del|al) (?:mes pasado|pasado mes)": ("month", -1),
        "este(?: mismo)? mes": ("month", 0),
        "(?:el|del|al) (?:próximo mes|mes próximo|mes que viene|mes entrante)": ("month", 1),
        "(?:el|del|al) (?:año pasado|pasado año)": ("year", -1),
        "este(?: mismo)? año": ("year", 0),
        "(?:el|del|al) (?:próximo año|año próximo|año que viene|año entrante)": ("year", 1),
    },
    weekdays=("lunes", "martes", "miércoles|miercoles", "jueves", "viernes", "sábado|sabado", "domingo"),
    week_days={
        "(?:el )?{day} de la semana pasada|la semana pasada,? el {day}": -1,
        "(?:el )?{day} de esta semana": 0,
        (
            "(?:el )?{day} de la (?:próxima semana|semana próxima|semana que viene)|la (?:próxima semana|"
            "semana que viene),? el {day}"
        ): 1,
    },
    last_weekday="(?:el|del|este) (?:{day} pasado|pasado {day})",
    numbers={
        "una?": 1,
        "dos": 2,
        "tres": 3,
        "cuatro": 4,
        "cinco": 5,
        "seis": 6,
        "siete": 7,
        "ocho": 8,
        "nueve": 9,
        "diez": 10,
    }
    | {"once": 11, "doce": 12},
    units={"días?|dias?": "day", "semanas?": "week", "mes(?:es)?": "month", "años?": "year"},
    ago="(?:hace )?{count} atrás",
    ago_or_for="hace (?:exactamente |justo )?{count}",
    ahead="dentro de (?:exactamente )?{count}",
    today_ago=(
        "{today},? hace (?:exactamente )?{count}|hace (?:hoy )(?:exactamente )?{count}|"
        "hace (?:exactamente )?{count},? {today}"
    ),
    never=(
        "hace un día \\w+|hace una? (?:semana|mes|año) (?:fr[ií][oa]|bonit[oa]|calurs[oa]|horrible|espléndid[oa])|semana santa|"
        "(?:la|las|una|cada|esa|aquella|toda la|otra|buenas?|media|por|de|muy de|bien de|misma|siguiente|primera|"
        "tal|gran) mañana|mañana (?:siguiente|de(?:l)? (?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)|"
        "fría|soleada|lluviosa|pasada)|hoy (?:en|por hoy|en día)|(?:días?|semanas?|mes|meses|años?|"
        "noches?) (?:antes|después) de (?:ayer|hoy|mañana|anoche|anteayer)|(?:antes|después) de (?:hoy|mañana)|"
        "hace ocho días|dentro de ocho días|(?:ayer|mañana),? (?:hace|dentro de) {count}|de la noche a la mañana|"
        "no (?:nací|naciste|nació) ayer|(?:el|un) (?:ayer|hoy|mañana)|(?:{day}) (?:hace|dentro de) {count}|"
        "hoy o mañana|ayer y hoy|desde hace {count}|de hoy en {count}"
    ),
    before_near_day="(?:ayer|hoy|mañana) o ",
    after_near_day=" o (?:ayer|anteayer|antes de|hoy|mañana|pasado)",
    before_span="(?:toda|todo|antes de|después de|que) ",
    after_span=" (?:de (?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|vacaciones|clases)|antes de|anterior)",
    before_distance=(
        "(?:desde|no|casi|más de|menos de|aproximadamente|alrededor de|unos|unas|cerca de|ya|o|y|apenas|como|"
        "de aquí a|por lo menos|al menos|quizás?|tal vez) "
    ),
    after_distance=(
        r",? (?:que|de|o|y (?:{number}|\d+|medi[oa]|pico|algo)|más o menos|aproximadamente|por lo menos|al menos|"
        r"antes|después|para|a la|al|por|como mucho|como máximo|más|ya|sin)\b"
    ),
    saying=(
        r"mañana (?:es|será) (?:\w+ )?(?:otro|nuevo) día|como si (?:fuera|fuese|hubiera sido) ayer|"
        r"mañana lo que|(?:decía|solía decir)(?: \w+){1,3}|como dicen?(?: \w+){0,3}"
    ),
    habit=rf"cada (?:\w+ )?(?:{_TIMES})|tod[oa]s l[oa]s (?:\w+ )?(?:{_TIMES})|normalmente|siempre que|habitualmente",
    past=(
        r"\w{2,}(?:ó|aron|ieron|aba|abas|aban|ábamos|aste|iste)|(?!aquí|ahí|así|allí)\w{2,}í|(?!café|josé|bebé|"
        r"esté|comité)\w+(?<![aei]r)é|fue|fui|fuimos|fueron|era|eran|éramos|eras|había|habían|estaba|tenía|hizo|"
        "hice|hicimos|hicieron|tuve|tuvo|tuvimos|estuve|estuvo|estuvimos|dijo|dije|dijeron|vi|vio|vino|vine|puso|"
        r"quiso|pudo|di|dio|trajo|(?:he|has|ha|hemos|habéis|han) (?:\w+ )?\w+(?:ado|ido|cho|to)|iba|iban|íbamos|"
        "(?:viv|quer|pod|hac|dec|sab|ten|ven|sal|sent|deb|conoc|cre)ía(?:n|mos|s)?"
    ),
    month_names=(
        "enero",
        "febrero",
        "marzo",
        "abril",
        "mayo",
        "junio",
        "julio",
        "agosto",
        "sep?tiembre",
        "octubre",
        "noviembre",
        "diciembre",
    ),
    calendar="(?:el )?{date} de {month_name}(?: del? {year})?",
    before_date=r"(?:\d ?[-–/,]|al|y|y el|o|o el|calle|avenida|plaza|paseo|hacia el|cada|todos los) ?",
    after_date=r" ?(?:[-–/]|al|y (?:el )?\d|o (?:el )?\d|pasado|próximo|de(?:l| este| cada))",
    yearly=r"cumpleaños|naci\w+|nací|nació|aniversario|santo|fiesta|festivo|celebr\w+",
    lasting=(
        "viv(?:o|es|e|imos|ís|en)|trabaj(?:o|as|a|amos|áis|an)|estudi(?:o|as|a|amos|an)|esper(?:o|as|a|amos|an)|"
        "est(?:oy|ás|á|amos|án)|soy|eres|somos|son|es|teng(?:o)|tiene[sn]?|tenemos|conozco|conoces?|conocen|"
        r"conocemos|no \w+|sé|sufro|sufre|fumo|fuma|llev(?:o|as|a|amos|an)|sale[sn]?|salgo|juego|juega|tom(?:o|as|"
        "a|amos|an)|quiero|am(?:o|a)|practic(?:o|a)|uso|usa|toco|toca|falta|duele|duerme|duermo"
    ),
    hints=(
        "(?:ayer|anteayer|antier|antesdeayer|anoche|anteanoche|antenoche|noche|hoy|mañana|tarde|semanas?|mes|"
        "meses|años?|d[ií]as?|hace|atrás|pasado)"
    ),
)
