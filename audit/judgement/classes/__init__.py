"""What pruning did to each class."""
