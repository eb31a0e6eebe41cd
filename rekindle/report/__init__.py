"""The postmortem: a run's journal, gathered into one story, and the formats that tell it."""
