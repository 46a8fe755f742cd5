"""What our own calls to AWS come to: counted by every process, priced by dated prices, held to a monthly budget."""
