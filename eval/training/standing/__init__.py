"""The recogniser of standing instructions: our labelled sentences, BEAM's labelled messages, and the fit on both."""
