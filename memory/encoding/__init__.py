"""From text to vectors: the sentence encoder, and how its model is loaded."""
