"""Facts hidden in long histories: needles, context rot, RULER."""
