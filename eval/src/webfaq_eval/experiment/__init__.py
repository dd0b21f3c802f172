"""The experiment: starts x conditions x domains x seeds, trained, scored and compared."""
