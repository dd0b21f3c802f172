"""FAQ pairs by domain and language: build, label, check and publish."""
