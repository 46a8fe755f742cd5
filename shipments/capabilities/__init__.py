"""How the batch engine works on deliveries and messages."""
