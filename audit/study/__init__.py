"""The study: config, data, and the jobs that train, prune and predict."""
