"""Words that are said for company: greetings, thanks, laughter, assent. A text of nothing else says nothing about anything.

"Hello Kate!" has a name in it and says nothing of Kate. "Yes" and "no" are none of these: they answer. In eleven languages.
"""

from collections.abc import Sequence

from language.names import Name

__all__ = ["is_courtesy"]

_COURTESIES = frozenset(
    """
    hi hey heya hello hiya yo dear bye goodbye cya morning afternoon evening night goodnight welcome greetings cheers
    thanks thank thx ty please sorry congrats congratulations wow woah whoa oh ooh ah aw aww awww omg yay yeah yep yup ok okay
    okey k kk
    haha hahaha hahahaha hehe lol lmao rofl xd nice cool great awesome amazing perfect lovely sweet wonderful
    fantastic exactly absolutely definitely totally indeed sure alright right well so good very much many lot and
    you u your too to the a of for all both always is that's it's its that it i am i'm there everyone guys buddy friend mate man
    bro dude
    hallo guten morgen tag abend nacht danke bitte tschüss genau super toll
    salut bonjour bonsoir coucou merci beaucoup bravo
    hola buenos buenas días dias tardes noches gracias muchas adiós adios vale genial claro jaja jajaja
    ciao buongiorno buonasera grazie mille prego bene
    olá oi obrigado obrigada bom dia boa noite valeu legal
    hoi dag bedankt dank je wel leuk
    привет здравствуйте спасибо большое пока отлично круто доброе утро добрый день вечер
    """.split()
)
_WHOLE = frozenset(
    """
    你好 您好 谢谢 多谢 早上好 晚安 再见 好的 哈哈 哈哈哈
    こんにちは おはよう ありがとう ありがとうございます おやすみ はは 笑
    안녕 안녕하세요 고마워 감사합니다 하하
    """.split()
)
_MOST = 8  # words
_MARKS = ".,!?…~ \n\t:;)(\u3002\uff01\uff1f\u3001"


def is_courtesy(text: str, words: Sequence[str], names: Sequence[Name]) -> bool:
    """Return whether a text is courtesies and names alone, at least one of the former and few of both.

    words: of the text, lower-cased, in order. names: its capitalised words.
    """
    if text.strip(_MARKS) in _WHOLE:
        return True
    if not words or len(words) > _MOST or text.rstrip().endswith("?"):
        return False
    named = {name.text.lower() for name in names}
    said = [word in _COURTESIES for word in words]
    return any(said) and all(known or word in named for known, word in zip(said, words, strict=True))
