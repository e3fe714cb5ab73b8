"""Films made by workers, on this machine or others: who makes which, the worker, and Ray, which runs them."""
