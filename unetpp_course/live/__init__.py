"""The pruning explorer in the browser: the network in JavaScript, the explorer around it, and the page that shows it."""
