"""Arrays in, Plotly figures out, for the page. No torch and no Gradio here."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ddpm_demo.store.pictures import BLUE, CLASS_COLOURS, GREEN, GREY, ORANGE, PINK
from ddpm_demo.words.sentence import Sentence, plain, say

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
        say("ᾱ: share of the variance that is signal"),
        say("√ᾱ (falling) and √(1 − ᾱ) (rising)"),
        say("β: noise of one step, log scale"),
        say("SNR = ᾱ / (1 − ᾱ), up to 20"),
        say("SNR in decibels"),
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
    axis = say("timestep t")
    figure.update_xaxes(title_text=axis, row=5, col=1)
    figure.update_yaxes(type="log", dtick=1, exponentformat="power", row=3, col=1)
    figure.update_yaxes(range=[0, 20], row=4, col=1)
    figure.update_layout(height=960, hovermode="x unified")
    return _plain(figure, *titles, axis)


def radial_figure(timesteps: Sequence[int], profiles: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Return a Plotly figure of influence against distance, on a log scale, one curve a timestep."""
    import plotly.graph_objects as go

    hover = say("{x} pixels away: {y}", x="%{x}", y="%{y:.2e}")
    figure = go.Figure(
        [
            go.Scatter(
                y=[float(f"{value:.4g}") if value > 0 else None for value in profile],
                name=f"t = {t}",
                mode="lines",
                line={"color": colour, "dash": dash, "width": 2},
                hovertemplate=hover,
            )
            for t, profile, colour, dash in zip(
                timesteps, profiles, (BLUE, ORANGE, GREEN, PINK), ("solid", "dash", "dot", "dashdot"), strict=True
            )
        ]
    )
    axes = (say("distance from the pixel"), say("share of the influence, a pixel"))
    figure.update_layout(height=380, xaxis_title=axes[0], yaxis_title=axes[1])
    figure.update_yaxes(type="log", dtick=1, exponentformat="power")
    return _plain(figure, hover, *axes)


def plane_figure(
    points: NDArray[np.floating], labels: NDArray[np.integer], explained: NDArray[np.floating]
) -> dict[str, Any]:
    """Return a Plotly figure of digits (N, 2) on their principal plane, coloured by class; `explained` (2,) shares."""
    import plotly.graph_objects as go

    figure = go.Figure()
    hovers = [say("a real {digit}", digit=f"{label}<extra></extra>") for label in range(len(CLASS_COLOURS))]
    for label, colour in enumerate(CLASS_COLOURS):
        chosen = points[labels == label]
        figure.add_trace(
            go.Scatter(
                x=[float(f"{v:.4g}") for v in chosen[:, 0]],
                y=[float(f"{v:.4g}") for v in chosen[:, 1]],
                mode="markers",
                name=str(label),
                marker={"size": 5, "color": colour, "opacity": 0.75},
                hovertemplate=hovers[label],
            )
        )
    axes = (
        say("first component, {share:.1%} of the variance", share=float(explained[0])),
        say("second, {share:.1%}", share=float(explained[1])),
    )
    figure.update_xaxes(title_text=axes[0])
    figure.update_yaxes(title_text=axes[1], scaleanchor="x")
    figure.update_layout(height=560)
    return _plain(figure, *hovers, *axes)


def training_figure(baselines: Sequence[tuple[str, float]] = ()) -> dict[str, Any]:
    """Return an empty Plotly figure for a training run, which the page fills as it goes: x in minutes of training.

    Its traces, in order: loss of single batches, their running mean, held-out loss (all on a log scale), learning
    rate, images a second, and a labelled line across the loss for each of `baselines`, titles and losses.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    titles = (say("loss, log scale"), say("learning rate"), say("images a second"))
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, vertical_spacing=0.09, row_heights=[0.6, 0.2, 0.2], subplot_titles=titles
    )
    traces = (
        (1, say("one batch"), "markers", {"marker": {"size": 5, "color": GREY, "opacity": 0.7}}),
        (1, say("running mean"), "lines", {"line": {"width": 2.5, "color": BLUE}}),
        (1, say("held-out digits"), "lines+markers", {"line": {"width": 2, "color": ORANGE, "dash": "dot"}}),
        (2, say("learning rate"), "lines", {"line": {"width": 2, "color": GREEN}, "showlegend": False}),
        (3, say("images a second"), "lines", {"line": {"width": 2, "color": PINK}, "showlegend": False}),
    )
    axis = say("minutes of training")
    said = [*titles, axis]
    for row, name, mode, style in traces:
        hover = _hover(name, "%{y:.4g}")
        said += [name, hover]
        figure.add_trace(go.Scatter(x=[], y=[], name=name, mode=mode, hovertemplate=hover, **style), row=row, col=1)
    for title, loss in baselines:
        text, hover = Sentence("{title}: {loss:.3g}", {"title": title, "loss": loss}), _hover(title, "%{y:.3g}")
        said += [title, text, hover]
        line = go.Scatter(
            x=[],
            y=[loss, loss],
            text=["", text],
            name=title,
            mode="lines+text",
            textposition="top left",
            line={"width": 1, "color": GREY, "dash": "dash"},
            showlegend=False,
            hovertemplate=hover,
        )
        figure.add_trace(line, row=1, col=1)
    figure.update_xaxes(title_text=axis, row=3, col=1)
    figure.update_yaxes(type="log", row=1, col=1)
    figure.update_yaxes(rangemode="tozero", exponentformat="power", row=2, col=1)
    figure.update_yaxes(rangemode="tozero", row=3, col=1)
    figure.update_layout(height=620, hovermode="closest")
    return _plain(figure, *said)


def tenths_figure(timesteps: int, baselines: Sequence[tuple[str, Sequence[float]]] = ()) -> dict[str, Any]:
    """Return a Plotly bar chart of the loss per tenth of the timesteps, to be filled: training, then held-out.

    After them come marks for each of `baselines`, titles and ten losses.
    """
    import plotly.graph_objects as go

    names = [str(k * timesteps // 10) for k in range(10)]
    bars = (say("training, about the last fifty steps"), say("held-out digits"))
    figure = go.Figure(
        [
            go.Bar(x=names, y=[None] * 10, name=bars[0], marker={"color": BLUE}),
            go.Bar(x=names, y=[None] * 10, name=bars[1], marker={"color": ORANGE, "pattern": {"shape": "/"}}),
        ]
    )
    for (title, losses), symbol in zip(baselines, SYMBOLS, strict=False):
        marks = {"symbol": symbol, "size": 9, "color": GREEN}
        figure.add_trace(
            go.Scatter(
                x=names, y=[y if y > FAINTEST_LOSS else None for y in losses], name=title, mode="markers", marker=marks
            )
        )
    hover = say("t from {t} on: {loss}", t="%{x}", loss="%{y:.3g}<extra></extra>")
    axes = (say("timestep t, each tenth from"), say("loss, log scale"))
    figure.update_traces(hovertemplate=hover)
    figure.update_xaxes(title_text=axes[0], type="category", tickangle=0)
    figure.update_yaxes(title_text=axes[1], type="log")
    figure.update_layout(height=360, barmode="group")
    return _plain(figure, *bars, hover, *axes, *(title for title, _ in baselines))


def _hover(name: str, value: str) -> str:
    return Sentence("{name}: {value}", {"name": name, "value": f"{value}<extra></extra>"})


def _plain(figure: Any, *said: str) -> dict[str, Any]:
    """Return the figure as JSON values, without Plotly's template: the page brings its own colours, light and dark.

    Texts of it that are among those `said` can still be said in another language: Plotly forgets that.
    """
    figure.update_layout(template="none", margin={"l": 60, "r": 20, "t": 40, "b": 50})
    import json

    known = {plain(text): text for text in said}

    def resaid(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: resaid(each) for name, each in value.items()}
        if isinstance(value, list):
            return [resaid(each) for each in value]
        return known.get(value, value) if isinstance(value, str) else value

    values: dict[str, Any] = resaid(json.loads(figure.to_json()))
    return values
