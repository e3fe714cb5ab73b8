"""Every Plotly chart of the page, drawn: Plotly draws a trace of a kind that it does not know as a line, silently."""

import numpy as np
from plotly.offline import get_plotlyjs_version

from ddpm_demo.ui.parts import plots
from ddpm_demo.ui.parts.bridge import STATIC, chart_value, static_url
from ddpm_demo.ui.parts.schedules import curve_style

TABLES = {"linear": (np.array([0.9, 0.5]), np.array([0.1, 0.2]))}
CHARTS = {
    "schedule": lambda: plots.schedule_figure(TABLES, {"linear": curve_style("linear")}),
    "radial": lambda: plots.radial_figure([0, 1, 2, 3], [[1.0, 0.5]] * 4),
    "plane": lambda: plots.plane_figure(np.arange(20.0).reshape(10, 2), np.arange(10), np.array([0.6, 0.4])),
    "training": lambda: plots.training_figure([("answering zero", 1.0)]),
    "tenths": lambda: plots.tenths_figure(1000, [("answering zero", [1.0] * 10)]),
}
DRAWN = """async ([values, module]) => {
    const { makeChart } = await import(module);
    const frame = () => new Promise(requestAnimationFrame), seen = {};
    for (const [name, value] of Object.entries(values)) {
        const { element, draw } = makeChart();
        document.body.append(element);
        element.scrollIntoView();
        await draw(value);
        while (!element._fullLayout?._size || element.calcdata?.length !== value.figure.data.length) await frame();
        const marks = { scatter: ".scatterlayer .trace", bar: ".barlayer .trace" };
        seen[name] = {
            asked: element._fullData.map(({ type }) => type),
            drawn: Object.entries(marks).flatMap(([kind, mark]) =>
                Array.from(element.querySelectorAll(mark), () => kind)),
        };
        element.remove();
    }
    return { seen, version: Plotly.version };
}"""


def trace_types(figure):
    """The kinds of a figure's traces, as Python made them; a trace without a kind is a scatter."""
    return [trace.get("type", "scatter") for trace in figure["data"]]


def test_every_chart_is_drawn_in_the_traces_that_python_made(visit):
    """The script is that of the installed plotly package: Gradio's own is of another version."""
    figures = {name: make() for name, make in CHARTS.items()}
    for figure in figures.values():
        for trace in figure["data"]:  # the charts of training are filled by the page
            trace.update(x=trace.get("x") or ["0", "100"], y=[1.0, 2.0])
    visit.open()
    values = {name: chart_value(figure, label=name) for name, figure in figures.items()}
    reply = visit.page.evaluate(DRAWN, [values, static_url(STATIC / "chart.js")])
    assert reply["version"] == get_plotlyjs_version()
    for name, figure in figures.items():
        kinds = trace_types(figure)
        in_layers = sorted(kinds, reverse=True)  # scatter, then bar: the order in which DRAWN counts what it finds
        assert reply["seen"][name] == {"asked": kinds, "drawn": in_layers}, name
    assert {kind for figure in figures.values() for kind in trace_types(figure)} == {"scatter", "bar"}


def test_these_are_all_the_charts():
    made = {name.removesuffix("_figure") for name in vars(plots) if name.endswith("_figure")}
    assert made == set(CHARTS)
