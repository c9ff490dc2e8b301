"""What teachers need: handouts, slides, an archive of figures, a class's marks, and final projects."""
