"""Networks ready to use: loaded and in their place, the classifier that steers, what the page recommends."""
