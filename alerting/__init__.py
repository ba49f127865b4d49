"""What happens: a pure core and a thin shell around it."""
