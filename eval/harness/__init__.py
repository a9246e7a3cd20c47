"""What every benchmark shares: runs, reports, intervals, judges, labelled conversations, baselines."""
