"""What the container lets the job do."""
