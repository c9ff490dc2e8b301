"""What the values of a mask mean."""

IGNORED = 255
"""In a mask with several classes, the label of pixels that neither loss nor score counts."""
