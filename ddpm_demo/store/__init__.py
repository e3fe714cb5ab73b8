"""Files in and out: checkpoints, MNIST, drawings, pictures."""
