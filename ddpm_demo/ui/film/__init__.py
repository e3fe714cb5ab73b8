"""A film of digits: drawn, remembered, inspected, raced, taken home."""
