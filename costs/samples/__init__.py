"""Made-up bills for trying things out, always marked as such."""
