"""What pruning did to each group of examples."""
