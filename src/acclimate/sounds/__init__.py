"""Sounds: files to waveforms, waveforms to log-mel spectrograms."""
