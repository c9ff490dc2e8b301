"""The explorers: pictures with controls, for the notebooks and for a learner's own images and networks."""
