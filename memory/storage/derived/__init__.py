"""What is derived from turns, and made anew whenever they are indexed."""
