"""The library behind the notebooks: data, models, measurements, files and pictures."""
