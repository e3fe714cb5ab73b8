"""The method: schedule, denoiser, sampling, receptive field. PyTorch and the standard library, nothing else."""
