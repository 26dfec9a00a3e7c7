"""Reads pasted text as a storyboard: screenplays, shot lists, time ranges, tables and prompts. No model is involved."""
