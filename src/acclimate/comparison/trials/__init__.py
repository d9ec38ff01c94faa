"""One trial and all of them: what travels, what a worker runs, what the store keeps."""
