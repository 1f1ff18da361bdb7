"""What the functions share: the task, its store, its queue, settings, errors and logging."""
