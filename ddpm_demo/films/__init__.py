"""A film as a job: its steps, the networks that predict, and the executors that make it."""
