"""Writing units: their sources, the notebooks made of them, and README.md's measured parts."""
