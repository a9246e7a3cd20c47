"""Portuguese, of Portugal and of Brazil."""

from language.vocabularies.vocabulary import Vocabulary

__all__ = ["PORTUGUESE"]

_OF_DAY = "(?: (?:à|de|pela) (?:noite|tarde|manhã)| de madrugada| ao meio-dia| cedo)?"
_DAYS = "segunda(?:-feira)?|terça(?:-feira)?|quarta(?:-feira)?|quinta(?:-feira)?|sexta(?:-feira)?|sábado|domingo"
_TIMES = (
    "dias?|semanas?|mês|meses|anos?|vez|vezes|manhãs?|tardes?|noites?|fim de semana|fins de semana|verão|"
    f"inverno|{_DAYS}"
)

PORTUGUESE = Vocabulary(
    near_days={
        "trasanteontem": -3,
        f"(?:anteontem|antes de ontem|antes d'ontem){_OF_DAY}": -2,
        f"ontem{_OF_DAY}": -1,
        "(?:n?a )noite passada": -1,
        f"hoje{_OF_DAY}|esta (?:manhã|tarde|noite)": 0,
        f"depois de amanhã{_OF_DAY}": 2,
        f"amanhã{_OF_DAY}": 1,
    },
    today="hoje",
    spans={
        "semana passada": ("week", -1),
        "(?:n?esta) semana": ("week", 0),
        "próxima semana|semana que vem|semana próxima": ("week", 1),
        "(?:fim de semana|final de semana) passado": ("weekend", -1),
        "mês passado": ("month", -1),
        "(?:n?este) mês": ("month", 0),
        "próximo mês|mês que vem": ("month", 1),
        "ano passado": ("year", -1),
        "(?:n?este) ano": ("year", 0),
        "próximo ano|ano que vem": ("year", 1),
    },
    weekdays=(
        "segunda(?:-feira)?",
        "terça(?:-feira)?",
        "quarta(?:-feira)?",
        "quinta(?:-feira)?",
        "sexta(?:-feira)?",
        "sábado",
        "domingo",
    ),
    week_days={
        "{day} da semana passada|semana passada,? n[ao] {day}": -1,
        "{day} desta semana": 0,
        "{day} da (?:próxima semana|semana que vem)|(?:próxima semana|semana que vem),? n[ao] {day}": 1,
    },
    last_weekday="(?:(?:n?[ao]|d[ao]) )?{day} passad[oa]|(?:n?[ao]|d[ao]) (?:passad[oa]|últim[oa]) {day}",
    numbers={
        "uma?": 1,
        "dois|duas": 2,
        "três": 3,
        "quatro": 4,
        "cinco": 5,
        "seis": 6,
        "sete": 7,
        "oito": 8,
        "nove": 9,
        "dez": 10,
    }
    | {"onze": 11, "doze": 12},
    units={"dias?": "day", "semanas?": "week", "mês|meses": "month", "anos?": "year"},
    ago="(?:há |faz )?{count} atrás",
    ago_or_for="há (?:exatamente )?{count}",
    ahead="daqui a (?:exatamente )?{count}|dentro de {count}",
    today_ago="{today},? há (?:exatamente )?{count}|há (?:exatamente )?{count},? {today}",
    never=(
        "hoje em dia|(?:antes|depois) de hoje|antes de amanhã|(?:dias?|semanas?|mês|meses|anos?) (?:antes|"
        "depois) de (?:anteontem|antes de ontem|ontem|amanhã|hoje)|há oito dias|(?:ontem|amanhã),? (?:há|"
        "daqui a) {count}|nasci ontem|nasceu ontem|de hoje para amanhã|da noite para o dia|(?:o|um) (?:ontem|"
        "hoje|amanhã)|{day} (?:há|daqui a) {count}|hoje ou amanhã|desde há {count}"
    ),
    before_near_day="(?:ontem|hoje|amanhã) ou ",
    after_near_day=" ou (?:ontem|anteontem|antes de|hoje|amanhã|depois de)",
    before_span="(?:toda a|todo o|antes da|depois da) ",
    after_span=(
        " (?:antes|anterior|de (?:maio|junho|julho|férias|aulas)|d[oe] (?:mês|ano|janeiro|fevereiro|março|"
        "abril)(?! passado))"
    ),
    before_distance=(
        "(?:desde|não|quase|mais de|menos de|cerca de|aproximadamente|uns|umas|por volta de|já|ou|ainda|"
        r"já lá vão|talvez|pelo menos|{number} ou|\d+ ou|{number} a|\d+ a|dias? e|semanas? e|mês e|meses e|"
        "anos? e|até) "
    ),
    after_distance=(
        r",? (?:que|de|ou|e (?:{number}|\d+|mei[oa]|pouco)|mais ou menos|aproximadamente|antes|depois|para|"
        r"por (?:semana|mês|ano)|na semana|no mês|no ano|sem|entre|a mais)\b"
    ),
    saying=(
        r"amanhã (?:é|será) (?:\w+ )?(?:outro|novo) dia|como se (?:fosse|tivesse sido) ontem|"
        r"amanhã o que|dizia(?: \w+){1,3}|como (?:diz|dizem)(?: \w+){0,3}"
    ),
    habit=(
        rf"(?:cada|todo|toda) (?:\w+ )?(?:{_TIMES})|tod[oa]s [oa]s (?:\w+ )?(?:{_TIMES})s?|normalmente|geralmente|"
        r"costum\w+"
    ),
    past=(
        r"(?!estou\b)\w{2,}(?:ei|ou|aram|eram|iram|ámos|ava|avam|ávamos|iu)|(?!museu|europeu)\w{2,}eu|"
        r"(?!ali\b)\w+(?:bi|di|ci|ri|ti|vi|mi|li|aí)|(?:cas|vend|compr|mud|nasc|cheg|adot)[ae]mos|fui|foi|fomos|"
        "foram|era|eram|fiz|fez|fizemos|tive|teve|tivemos|estive|esteve|vi|viu|vimos|disse|vim|veio|pus|pôs|quis|"
        "pude|soube|estava|tinha|havia|li|leu|dei|deu|caí|(?:pod|quer|faz|diz|sab|viv)ia(?:m)?|ia|vinha|eramos|"
        "éramos"
    ),
    month_names=(
        "janeiro",
        "fevereiro",
        "março",
        "abril",
        "maio",
        "junho",
        "julho",
        "agosto",
        "setembro",
        "outubro",
        "novembro",
        "dezembro",
    ),
    calendar="{date}º? de {month_name}(?: de {year})?",
    before_date=r"(?:\d ?[-–/,]|a|ao|e|ou|rua|avenida|praça|ponte|por volta de|cada|tod[oa]s?(?: os?)?) ?",
    after_date=r" ?(?:[-–/]|a \d|e \d|ou \d|passado|próximo|do ano|dest[ea]|de cada)",
    yearly=r"aniversário|nasc\w+|fest\w+|feriado|comemor\w+|celebr\w+",
    lasting=r"\w+",
    hints=(
        "(?:(?:ante)?ontem|trasanteontem|d'ontem|hoje|amanhã|manhã|noite|tarde|semanas?|mês|meses|anos?|dias?|"
        "atrás|há|passad[oa]|últim[oa])"
    ),
)
