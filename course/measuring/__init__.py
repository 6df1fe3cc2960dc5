"""Measuring: experiments and their results, the models and teachers that they share."""
