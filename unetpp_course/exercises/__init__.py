"""The exercises, one file per notebook: each stands with its reference and the wrong answers that prove it."""
