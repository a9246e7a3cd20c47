"""Evidence: what contexts hold of questions whose answers are labelled, ours and plain searches', on any set."""
