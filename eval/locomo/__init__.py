"""LoCoMo: evidence recall, answers, and what each part is worth."""
