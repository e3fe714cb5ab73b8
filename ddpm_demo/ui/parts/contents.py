"""The index of a long page: one link per section."""

import gradio as gr

from ddpm_demo.ui.parts.bridge import browser_component


def contents(sections: dict[str, str]) -> gr.HTML:
    """Return links to the parts of a tab that lie below its stage: `sections` maps their elements' ids to titles."""
    return browser_component("contents", {"sections": sections}, elem_id=f"contents-{next(iter(sections))}")
