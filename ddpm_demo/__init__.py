"""ddpm_demo: denoising diffusion (Ho et al. 2020) on MNIST, small enough to read in an evening.

The core is plain PyTorch: `schedule`, `model`, `sampling`, `training`, `checkpoint`, `receptive`, `data`.
The Gradio app in `ui` stands on top of it; nothing in the core knows that the app exists.
"""

__version__ = "0.1.0"
