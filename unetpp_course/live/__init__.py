"""The pruning explorer in the browser: the network in JavaScript, the explorer around it, and its page."""
