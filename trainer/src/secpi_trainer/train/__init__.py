"""Fine-tuning with exact resume."""
