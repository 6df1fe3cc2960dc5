"""What grading takes."""
