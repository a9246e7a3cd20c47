"""What Chinese and Japanese write alike."""

__all__ = ["HAN_NUMBERS"]

HAN_NUMBERS = {said: n for n, said in enumerate("一 二 三 四 五 六 七 八 九 十 十一 十二".split(), 1)}
