"""The exercises of each notebook, beside their references: `notebook_04.py` holds those of notebook 04."""
