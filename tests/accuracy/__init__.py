"""``make accuracy``: our detectors and their rivals on labelled series, every one causal and at its usual setting."""
