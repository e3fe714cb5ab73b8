"""How the page looks: Gradio's theme, and the style sheets that bring the page's own parts into line with it."""

import gradio as gr

from ddpm_demo.ui.parts.bridge import STATIC

STYLE_SHEETS = sorted((STATIC / "style").glob("*.css"))
# not through Gradio, which holds a sheet to what is inside its own container and leaves container queries out
HEAD_STYLES = [
    *(STATIC / name for name in ("palette.css", "fit.css", "present.css", "glossary.css")),
    STATIC / "intro" / "intro.css",
]
SHADE = "0 1px 2px rgb(0 0 0 / 8%)"
TYPE = gr.themes.Size(xxs="14px", xs="14px", sm="14px", md="16px", lg="18px", xl="22px", xxl="26px")  # no smaller one


def theme() -> gr.themes.Base:
    """Return the theme: quiet labels, flat blocks, one accent, and contrast of at least 4.5 in light and dark.

    Plain font names are local; nothing is fetched.
    """
    fonts = ["system-ui", "-apple-system", "Segoe UI", "sans-serif"]
    mono = ["ui-monospace", "Consolas", "monospace"]
    look = gr.themes.Soft(primary_hue="blue", font=fonts, font_mono=mono, text_size=TYPE)
    return look.set(
        body_background_fill="white",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        color_accent="*primary_600",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_shadow="none",
        block_shadow_dark="none",
        block_padding="0",
        block_border_width_dark="0",
        block_title_background_fill="transparent",
        block_title_background_fill_dark="transparent",
        block_title_padding="0",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_title_text_weight="600",
        block_title_text_size="*text_sm",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_info_text_size="*text_sm",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_600",
        input_border_width="1px",
        input_shadow="none",
        input_shadow_dark="none",
        checkbox_label_background_fill_selected="*primary_600",
        checkbox_border_color="*neutral_400",
        checkbox_border_color_dark="*neutral_400",
        checkbox_label_shadow=SHADE,
        checkbox_label_border_width="1px",
        checkbox_label_border_color="*neutral_300",
        checkbox_label_border_color_dark="*neutral_600",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_shadow=SHADE,
        button_primary_shadow_hover=SHADE,
        button_secondary_shadow=SHADE,
        button_secondary_shadow_hover=SHADE,
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_600",
        button_border_width="1px",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
    )
