"""What everything stands on: files, text, languages, taxonomy, schema, manifest. Imports nothing of ours."""
