"""Programs: HumanEval+ and MBPP+ through the cascade, and over recorded completions."""
