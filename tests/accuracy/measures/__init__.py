"""What is measured: pure functions of series and outcomes, each with the definition it computes."""
