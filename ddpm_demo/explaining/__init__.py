"""What the page says of the network and its steps, computed from the network itself."""
