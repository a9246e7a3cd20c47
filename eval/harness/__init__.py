"""What every benchmark shares: runs, reports, intervals, judges, baselines."""
