"""Abstentions and refusals in the ten other languages that Tirtha answers in: the commonest sentences of each, and no more.

What is not known here is read as an answer, and is for the guards to judge. Models are asked for null, which needs no language.
"""

import re

__all__ = ["lacks_elsewhere", "refuses_elsewhere"]

# Each language's statements that the context lacks the answer, and its refusals.
_MORE = r"[^.!?。！？]{0,120}"
_LACKS = {
    "de": r"unbekannt|ich wei(?:ß|ss) (?:es|das)? ?nicht"
    rf"|(?:dazu |darüber )?(?:gibt es |liegen )?keine (?:angaben?|informationen?)\b{_MORE}"
    rf"|(?:es )?wird nicht (?:erwähnt|gesagt|genannt|angegeben)\b{_MORE}"
    rf"|(?:das|es|dies|die antwort|die information|diese information) (?:ist|wird|wurde|steht|geht)\b{_MORE}\bnicht\b{_MORE}"
    r"(?:bekannt|erwähnt|angegeben|genannt|enthalten|hervor|im (?:kontext|gedächtnis|text)|in den (?:zeilen|nachrichten))"
    rf"|(?:die zeilen|der kontext|das gedächtnis|die nachrichten|der text) (?:sag|enthält|enthalt|nenn|erwähn)\w*\b{_MORE}"
    rf"\b(?:nicht|keine?n?)\b{_MORE}",
    "fr": rf"inconnue?|je ne (?:le )?sais pas|aucune (?:information|mention|indication)\b{_MORE}"
    rf"|(?:cela|ce|c'|il|elle|cette information|l'information|la réponse) ?n'est pas"
    rf" (?:mentionnée?|indiquée?|précisée?|connue?)\b{_MORE}"
    rf"|(?:cela|cette information|l'information|la réponse) (?:n'est|ne figure) pas dans (?:la mémoire|le contexte|les lignes)"
    rf"\b{_MORE}"
    rf"|(?:les lignes|le contexte|la mémoire|les messages) ne (?:mentionn|di|précis|contien|indiqu)\w* (?:pas|aucune?|rien)\b"
    rf"{_MORE}",
    "es": rf"desconocid[oa]|no (?:lo )?sé|(?:no hay|ninguna) (?:información|mención)\b{_MORE}"
    rf"|(?:(?:eso|esto|la respuesta|la información) )?no se (?:menciona|indica|dice|especifica|sabe)\b{_MORE}"
    rf"|(?:(?:eso|esto|la respuesta|la información) )?no (?:está|aparece|consta|figura) en (?:la memoria|el contexto|las líneas)"
    rf"\b{_MORE}"
    rf"|(?:las líneas|el contexto|la memoria|los mensajes) no (?:menciona|dice|contiene|indica|especifica)n?\b{_MORE}",
    "it": rf"sconosciut[oa]|non (?:lo )?so|(?:non c'è|non ci sono|nessuna) (?:informazion[ei]|menzione)\b{_MORE}"
    rf"|(?:(?:questo|ciò|la risposta|l'informazione) )?non (?:è|viene) (?:menzionat|indicat|specificat|dett|not)[oa]\b{_MORE}"
    rf"|(?:(?:questo|ciò|la risposta|l'informazione) )?non (?:è|compare|è presente) (?:nella memoria|nel contesto|nelle righe)"
    rf"\b{_MORE}"
    rf"|(?:le righe|il contesto|la memoria|i messaggi) non (?:menziona|dic|contien|contengo|indica|specifica)\w*\b{_MORE}",
    "pt": rf"desconhecid[oa]|(?:eu )?não (?:o )?sei|(?:não há|nenhuma) (?:informação|informações|menção)\b{_MORE}"
    rf"|(?:(?:isso|isto|a resposta|a informação) )?não (?:é|foi|está) (?:mencionad|indicad|especificad|informad|dit)[oa]\b{_MORE}"
    rf"|(?:(?:isso|isto|a resposta|a informação) )?não (?:está|consta|aparece) (?:na memória|no contexto|nas linhas)\b{_MORE}"
    rf"|(?:as linhas|o contexto|a memória|as mensagens) não (?:menciona|diz|dizem|contém|contêm|indica|especifica)m?\b{_MORE}",
    "nl": rf"onbekend|(?:dat )?weet ik niet|ik weet het niet|(?:er is )?geen (?:informatie|vermelding)\b{_MORE}"
    rf"|(?:dat|dit|het|het antwoord|die informatie) (?:is|wordt|staat|werd)\b{_MORE}\bniet\b{_MORE}"
    r"(?:bekend|vermeld|genoemd|gezegd|in (?:de context|het geheugen|de regels))"
    rf"|(?:de regels|de context|het geheugen|de berichten) (?:vermeld|zegg?|noem|bevat)\w*\b{_MORE}\b(?:niet|geen)\b{_MORE}",
    "ru": rf"неизвестно|(?:я )?не знаю|(?:нет|никакой) информации\b{_MORE}|(?:об )?этом? (?:не )?(?:упоминается|сказано|указано)"
    rf"|(?:это|об этом|ответ) не (?:упоминается|сказано|указано|указан|известно)\b{_MORE}"
    rf"|(?:этого|ответа) нет в (?:памяти|контексте|строках)\b{_MORE}"
    rf"|в (?:памяти|контексте|строках) (?:об этом )?(?:нет|не)\b{_MORE}",
    "zh": rf"(?:我)?不知道|未知|(?:没有|未)(?:提及|提到|说明|相关信息){_MORE}|无法(?:确定|得知|判断){_MORE}"
    rf"|(?:上下文|记忆|这些|对话|文中){_MORE}(?:没有|未|并未)(?:提及|提到|说明|包含|相关){_MORE}",
    "ja": r"(?:分|わ)かりません|不明(?:です)?"
    rf"|{_MORE}(?:記載|言及|情報|記憶|メモリ|記述)(?:に)?(?:は|が)?(?:されて)?"
    r"(?:ありません|いません|ない|なし)",
    "ko": rf"(?:잘 )?모르겠습니다|알 수 없(?:습니다|음)|{_MORE}(?:언급|정보|내용|기록){_MORE}(?:없습니다|않습니다|않았습니다|없음)",
}
_REFUSES = {
    "de": r"(?:es )?tut mir leid[,.]? (?:aber )?(?:dabei|damit|das|ich|darauf)\b.{0,80}\bnicht\b.*"
    r"|(?:ich kann|dabei kann ich|damit kann ich|das kann ich)\b.{0,40}\bnicht (?:weiter)?(?:helfen|beantworten|unterstützen).*",
    "fr": r"(?:(?:je suis )?(?:désolée?|navrée?)|je m'excuse)[, ]+(?:mais )?je ne (?:peux|puis) pas .*"
    r"|je ne (?:peux|puis) pas (?:vous |t')?(?:y )?(?:aider|répondre|assister).*",
    "es": r"lo siento,?(?: pero)? no puedo .*|no puedo (?:ayudar|ayudarte|ayudarle|responder|asistir).*",
    "it": r"mi dispiace,?(?: ma)? non posso .*|non posso (?:aiutar|rispondere|assister)\w*.*",
    "pt": r"(?:desculpe|sinto muito|lamento),?(?: mas)? (?:eu )?não posso .*|(?:eu )?não posso (?:ajudar|responder|auxiliar).*",
    "nl": r"(?:het )?spijt me,?(?: maar)? .{0,40}\bniet\b.*"
    r"|(?:daar|hier)(?:mee| mee)? kan ik (?:je |u )?niet (?:mee |bij )?helpen.*",
    "ru": r"(?:извините|простите|к сожалению),?(?: но)? я не могу .*|я не могу (?:помочь|ответить|с этим помочь).*",
    "zh": r"(?:很)?(?:抱歉|对不起)[，,]?(?:但)?我?(?:无法|不能|不便).*|我(?:无法|不能)(?:帮助|协助|回答|提供).*",
    "ja": r"(?:申し訳(?:ありません|ございません)|すみません|ごめんなさい).*"
    r"(?:できません|お手伝いできません|お答えできません|いたしかねます)",
    "ko": r"(?:죄송(?:합니다|하지만|하지만,)|미안(?:합니다|하지만)).*(?:수 없습니다|어렵습니다|드릴 수 없습니다)",
}  # fmt: skip
_LACKS_ANY = re.compile("|".join(_LACKS.values()), re.IGNORECASE)
_REFUSES_ANY = re.compile("|".join(_REFUSES.values()), re.IGNORECASE)
# Before it: an apology, or "according to the lines".
_SORRY = (
    "(?:es )?tut mir leid|leider|désolée?|lo siento|mi dispiace|desculpe|sinto muito|sorry|helaas|het spijt me|извините|простите"
    "|к сожалению|抱歉|对不起|申し訳ありません(?:が)?|すみません(?:が)?|죄송하지만|죄송합니다만"
)
_ACCORDING = (
    "laut|gemäß|basierend auf|d'après|selon|según|de acuerdo con|basándome en|secondo|in base a|segundo|de acordo com|com base em"
    "|volgens|op basis van|согласно|судя по"
)
_OPENS = re.compile(
    rf"(?:(?:{_SORRY})[,.，、。]? ?(?:(?:aber|mais|pero|ma|mas|maar|но) )?)?"
    r"(?:(?:根据|基于)[^，。,]{1,25}[，,] ?|在?[^，。,]{1,12}[中里][，,]? ?(?=没有|未|并未)"
    rf"|(?:{_ACCORDING}) [^,.]{{1,50}}?,? (?=(?:es|das|il|cela|la|no|não|non|het|dat|er|это|об|нет|не|неизвестно|wird)\b)"
    r"|[^、。]{1,25}(?:によると|では|によれば)、|[^,.]{1,25}에 따르면,? )?",
    re.IGNORECASE,
)
_AROUND = " \t\n.!?。！？\"'`*_"


def lacks_elsewhere(text: str) -> bool:
    """Whether a reply says, in another language than English, that the context does not hold the answer, and nothing else."""
    bare = _bare(text)
    opening = _OPENS.match(bare)
    return bool(_LACKS_ANY.fullmatch(bare) or (opening and _LACKS_ANY.fullmatch(bare[opening.end() :])))


def refuses_elsewhere(text: str) -> bool:
    """Whether a reply says, in another language than English, that the model will not answer."""
    return bool(_REFUSES_ANY.fullmatch(_bare(text)))


def _bare(text: str) -> str:
    return " ".join(text.replace("\u2019", "'").split()).strip(_AROUND)
