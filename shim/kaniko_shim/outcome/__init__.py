"""How a job ended: reasons, errors, classification and the result."""
