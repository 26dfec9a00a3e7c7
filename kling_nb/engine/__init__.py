"""The engine: carries jobs from the recorded intent to the file. It knows protocols only, see `ports`."""
