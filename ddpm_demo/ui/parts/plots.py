"""Arrays in, Plotly figures out, for the page. No torch and no Gradio here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ddpm_demo.store.pictures import BLUE, CLASS_COLOURS, GREEN, GREY, ORANGE, PINK

FAINTEST_LOSS = 1e-6  # that is drawn: a perfect memory's on its own digits is 1e-12
SYMBOLS = ("circle-open", "x", "triangle-up-open", "diamond-open", "square-open")  # of baselines


def schedule_figure(
    tables: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]], styles: Mapping[str, tuple[str, str]]
) -> dict[str, Any]:
    """Return a Plotly figure of everything a schedule is, against t: five rows that share the t axis.

    `tables` maps a schedule's name to its alpha_bar and beta, each of length T, `styles` to colour and dash. From
    t = 750 on the plot is shaded.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = (
        "ᾱ: share of the variance that is signal",
        "√ᾱ (falling) and √(1 − ᾱ) (rising)",
        "β: noise of one step, log scale",
        "SNR = ᾱ / (1 − ᾱ), up to 20",
        "SNR in decibels",
    )
    figure = make_subplots(rows=5, cols=1, shared_xaxes=True, vertical_spacing=0.045, subplot_titles=titles)
    for name, (alpha_bar, beta) in tables.items():
        colour, dash = styles[name]
        snr = alpha_bar / (1 - alpha_bar)
        curves = [
            (1, alpha_bar, "ᾱ"),
            (2, np.sqrt(alpha_bar), "√ᾱ"),
            (2, np.sqrt(1 - alpha_bar), "√(1 − ᾱ)"),
            (3, beta, "β"),
            (4, snr, "SNR"),
            (5, 10 * np.log10(snr), "SNR, dB"),
        ]
        for k, (row, values, symbol) in enumerate(curves):
            figure.add_trace(
                go.Scatter(
                    y=[float(f"{v:.5g}") for v in values],
                    name=name,
                    legendgroup=name,
                    showlegend=k == 0,
                    line={"color": colour, "dash": dash, "width": 2},
                    hovertemplate=f"{symbol} = %{{y:.4g}}",
                ),
                row=row,
                col=1,
            )
    figure.add_vrect(x0=750, x1=999, fillcolor=GREY, opacity=0.15, line_width=0, layer="below")
    figure.update_xaxes(title_text="timestep t", row=5, col=1)
    figure.update_yaxes(type="log", dtick=1, exponentformat="power", row=3, col=1)
    figure.update_yaxes(range=[0, 20], row=4, col=1)
    figure.update_layout(height=960, hovermode="x unified")
    return _plain(figure)


def radial_figure(timesteps: Sequence[int], profiles: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return a Plotly figure of influence against distance, on a log scale, one curve a timestep."""
    import plotly.graph_objects as go

    figure = go.Figure(
        [
            go.Scatter(
                y=[float(f"{value:.4g}") if value > 0 else None for value in profile],
                name=f"t = {t}",
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                hovertemplate="%{x} pixels away: %{y:.2e}",
            )
            for t, profile, colour, dash in zip(
                timesteps, profiles, (BLUE, ORANGE, GREEN, PINK), ("solid", "dash", "dot", "dashdot"), strict=True
            )
        ]
    )
    figure.update_layout(
        height=380, xaxis_title="distance from the pixel", yaxis_title="share of the influence, a pixel"
    )
    figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    return _plain(figure)


def plane_figure(
    points: NDArray[np.floating], labels: NDArray[np.integer], explained: NDArray[np.floating]
) -> dict[str, Any]:
    """Return a Plotly figure of digits (N, 2) on their principal plane, coloured by class; `explained` (2,) shares."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for label, colour in enumerate(CLASS_COLOURS):
        chosen = points[labels == label]
        figure.add_trace(
            go.Scatter(
                x=[float(f"{v:.4g}") for v in chosen[:, 0]],
                y=[float(f"{v:.4g}") for v in chosen[:, 1]],
                mode="markers",
                name=str(label),
                marker={"size": 5, "color": colour, "opacity": 0.75},
                hovertemplate=f"a real {label}<extra></extra>",
            )
        )
    figure.update_xaxes(title_text=f"first component, {explained[0]:.1%} of the variance")
    figure.update_yaxes(title_text=f"second, {explained[1]:.1%}", scaleanchor="x")
    figure.update_layout(height=560)
    return _plain(figure)


def training_figure(baselines: Sequence[tuple[str, float]] = ()) -> dict[str, Any]:
    """Return an empty Plotly figure for a training run, which the page fills as it goes: x in minutes of training.

    Its traces, in order: loss of single batches, their running mean, held-out loss (all on a log scale), learning
    rate, images a second, and a labelled line across the loss for each of `baselines`, titles and losses.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = ("loss, log scale", "learning rate", "images a second")
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.09, row_heights=[0.6, 0.2, 0.2], subplot_titles=titles
    )
    traces = (
        (1, "one batch", "markers", {"marker": {"size": 5, "color": GREY, "opacity": 0.7}}),
        (1, "running mean", "lines", {"line": {"width": 2.5, "color": BLUE}}),
        (1, "held-out digits", "lines+markers", {"line": {"width": 2, "color": ORANGE, "dash": "dot"}}),
        (2, "learning rate", "lines", {"line": {"width": 2, "color": GREEN}, "showlegend": False}),
        (3, "images a second", "lines", {"line": {"width": 2, "color": PINK}, "showlegend": False}),
    )
    for row, name, mode, style in traces:
        hover = f"{name}: %{{y:.4g}}<extra></extra>"
        figure.add_trace(go.Scatter(x=[], y=[], name=name, mode=mode, hovertemplate=hover, **style), row=row, col=1)
    for title, loss in baselines:
        line = go.Scatter(
            x=[],
            y=[loss, loss],
            text=["", f"{title}: {loss:.3g}"],
            name=title,
            mode="lines+text",
            textposition="top left",
            line={"width": 1, "color": GREY, "dash": "dash"},
            showlegend=False,
            hovertemplate=f"{title}: %{{y:.3g}}<extra></extra>",
        )
        figure.add_trace(line, row=1, col=1)
    figure.update_xaxes(title_text="minutes of training", row=3, col=1)
    figure.update_yaxes(type="log", row=1, col=1)
    figure.update_yaxes(rangemode="tozero", exponentformat="power", row=2, col=1)
    figure.update_yaxes(rangemode="tozero", row=3, col=1)
    figure.update_layout(height=620, hovermode="closest")
    return _plain(figure)


def tenths_figure(timesteps: int, baselines: Sequence[tuple[str, Sequence[float]]] = ()) -> dict[str, Any]:
    """Return a Plotly bar chart of the loss per tenth of the timesteps, to be filled: training, then held-out.

    After them come marks for each of `baselines`, titles and ten losses.
    """
    import plotly.graph_objects as go

    names = [str(k * timesteps // 10) for k in range(10)]
    figure = go.Figure(
        [
            go.Bar(x=names, y=[None] * 10, name="training, about the last fifty steps", marker={"color": BLUE}),
            go.Bar(x=names, y=[None] * 10, name="held-out digits", marker={"color": ORANGE, "pattern": {"shape": "/"}}),
        ]
    )
    for (title, losses), symbol in zip(baselines, SYMBOLS, strict=False):
        marks = {"symbol": symbol, "size": 9, "color": GREEN}
        figure.add_trace(
            go.Scatter(
                x=names, y=[y if y > FAINTEST_LOSS else None for y in losses], name=title, mode="markers", marker=marks
            )
        )
    figure.update_traces(hovertemplate="t from %{x} on: %{y:.3g}<extra></extra>")
    figure.update_xaxes(title_text="timestep t, each tenth from", type="category", tickangle=0)
    figure.update_yaxes(title_text="loss, log scale", type="log")
    figure.update_layout(height=360, barmode="group")
    return _plain(figure)


def _plain(figure: Any) -> dict[str, Any]:
    """Return the figure as JSON values, without Plotly's template: the page brings its own colours, light and dark."""
    figure.update_layout(template="none", margin={"l": 60, "r": 20, "t": 40, "b": 50})
    import json

    plain: dict[str, Any] = json.loads(figure.to_json())
    return plain
