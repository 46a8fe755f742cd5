"""A believable company to try the product on: its fleet and its last 90 days. Always marked as sample data."""
