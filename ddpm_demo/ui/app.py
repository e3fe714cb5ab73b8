"""The web page: composes the tabs; `server.py` launches it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from ddpm_demo.films.executor import Executor
from ddpm_demo.machine.device import answering_placement
from ddpm_demo.machine.limits import training_allowed
from ddpm_demo.networks.ideal_checkpoints import IDEAL_LABELS, is_ideal
from ddpm_demo.networks.loaded_networks import load_named
from ddpm_demo.store import checkpoint
from ddpm_demo.store.shipped import find_checkpoint, known_as, shipped_checkpoints
from ddpm_demo.ui.film.device import device_routes
from ddpm_demo.ui.film.event_stream import film_routes
from ddpm_demo.ui.film.form_words import NO_GUIDE
from ddpm_demo.ui.film.generate_tab import GenerateTab
from ddpm_demo.ui.intro import build_intro
from ddpm_demo.ui.lessons.class_routes import class_routes
from ddpm_demo.ui.lessons.entry import build_lessons, page_words
from ddpm_demo.ui.lessons.live import LiveClass
from ddpm_demo.ui.link import read_link
from ddpm_demo.ui.parts.bridge import browser_component, serve_static_files
from ddpm_demo.ui.parts.choice import choices_of, named
from ddpm_demo.ui.parts.host import Host
from ddpm_demo.ui.parts.run_stream import run_routes
from ddpm_demo.ui.room import build_room
from ddpm_demo.ui.status import status_routes
from ddpm_demo.ui.tab_table import TABS, Ingredients
from ddpm_demo.ui.tabs.network import untrained
from ddpm_demo.ui.tabs.noise import NoiseTab, first_noise_value
from ddpm_demo.ui.tabs.receptive import ReceptiveTab, from_link
from ddpm_demo.ui.tabs.schedule import ScheduleTab, describe_schedule
from ddpm_demo.ui.tabs.train_desk import Desk
from ddpm_demo.ui.words.glossary import build_glossary
from ddpm_demo.ui.words.page import TITLE, Page, prose
from ddpm_demo.ui.words.visitor import for_visitor
from ddpm_demo.words.sentence import say

QUEUE_SECONDS = 0.02  # from one look for new events to the next
PROGRESS_SECONDS = 0.1  # the same for Gradio's own bars of progress
READ = {"read": True}  # Python's answer to the page's opening: from now on the page may write its address
FILM_ROUTES = "ddpm_film_routes"  # the attribute of the app that holds what `launch` serves besides Gradio
HOST = "ddpm_host"  # the same for the `Host`, whom only `launch` knows to be alone


def build_app(
    chosen: str | None = None,
    *,
    training: bool = True,
    metrics: bool = False,
    lessons: Sequence[Path] = (),
    executor: Executor | None = None,
) -> gr.Blocks:
    """Return the app, offering first the checkpoint `chosen`, a path or name; raise CheckpointError if it is not one.

    An ideal (`ideal_checkpoints`) is offered, too, but never first: most tabs look into a trained network.

    `lessons` are files of a class's own lessons; a broken one raises ConfigError.
    Without `training`, or where DDPM_DEMO_NO_TRAINING in the environment says so, the page neither shows nor allows it.
    With `metrics` the server has an address for Prometheus. `executor` makes the films; without one this process does.
    """
    checkpoints = shipped_checkpoints()
    if chosen is not None and is_ideal(chosen):
        load_named(chosen)  # says now, not at the first click, that there is no such ideal
        checkpoints = {**checkpoints, chosen: Path(chosen)}
    elif chosen is not None and chosen not in checkpoints:
        path = find_checkpoint(chosen)
        checkpoint.load(path)  # says now, not at the first click, that a file is not a checkpoint
        checkpoints = {name_of(path): path, **checkpoints}
    elif chosen is not None:
        checkpoints = {chosen: checkpoints[chosen], **checkpoints}

    if checkpoints:  # the ideals are there to be compared with one
        checkpoints |= {name: Path(name) for name in IDEAL_LABELS}
    host = Host()
    desk = Desk(checkpoints, allowed=training_allowed(asked=training), host=host)
    serve_static_files()
    placement = answering_placement()
    ingredients = Ingredients(checkpoints, desk, executor)
    tabs: dict[str, gr.Tab] = {}
    built: dict[str, Any] = {}  # a tab's id -> what its builder returned
    demo = Page(title=TITLE, analytics_enabled=False)
    with demo:
        prose(say("# {title}", title=TITLE), elem_id="page-title")
        classroom = build_lessons(checkpoints, lessons)
        build_intro(checkpoints)
        with gr.Tabs(overflow_behavior="wrap"):  # on a phone two rows, so that none hides behind a menu
            for entry in TABS:
                with gr.Tab(entry.title, elem_id=f"tab-{entry.id}") as tabs[entry.id]:  # open_tab.js finds it by that
                    built[entry.id] = entry.build(ingredients)
        noise: NoiseTab = built["noise"]
        schedule: ScheduleTab = built["schedule"]
        network: gr.HTML = built["network"]
        receptive: ReceptiveTab = built["receptive-field"]
        generate: GenerateTab = built["generate"]
        about = say(
            "A denoising diffusion model (Ho et al. 2020) on MNIST, taken apart. Every picture and number is computed "
            "live from the real network and the real schedule, on this computer ({device}, {numbers}).",
            device=str(placement.device),
            numbers=placement.dtype_name,
        )
        prose(about, elem_id="page-about")
        build_glossary()
        build_room(demo)
        fields = [noise.label, noise.which, noise.seed, schedule.beta_1, schedule.beta_T, schedule.timesteps]
        reach = [receptive.pattern, receptive.own, receptive.view, receptive.words, receptive.paths]
        link = browser_component("link", None, elem_id="link")
        outputs = [*fields, noise.view, schedule.view, schedule.words, *reach, link]
        demo.load(restore, None, outputs, show_progress="hidden", queue=False, api_visibility="private")
        # a run of the Train tab is in the lists from the moment somebody looks at them, or opens one
        # "multiple": a list that is opened while an older answer is under way must not be left with that one
        quiet: dict[str, Any] = {
            "show_progress": "hidden",
            "queue": False,
            "api_visibility": "private",
            "trigger_mode": "multiple",
        }
        lists = [generate.fields["checkpoint"], network, generate.fields["guide"]]
        choices = [*lists, noise.details]
        opened = [tabs[name].select for name in ("generate", "network", "noise")]
        gr.on(
            [demo.load, *opened, *(list_.focus for list_ in lists)],
            lambda: for_visitor(listed(desk)),
            None,
            choices,
            **quiet,
        )
        film_link = browser_component("film/film_link", None, elem_id="film-link")
        film = [*generate.outputs, film_link]
        demo.load(generate.restore_film, None, film, show_progress="hidden", queue=False, api_visibility="private")
    routes = film_routes(checkpoints, generate.broadcasts) + device_routes(checkpoints, generate.broadcasts)
    routes += run_routes() + status_routes(generate.broadcasts, metrics=metrics)
    routes += class_routes(LiveClass(classroom, page_words()["test_dont_know"]), host)
    setattr(demo, FILM_ROUTES, routes)
    setattr(demo, HOST, host)
    demo.queue(max_size=None, api_open=False)  # what stands in it is short: films do not
    slow_queue(demo)
    return demo


def slow_queue(demo: gr.Blocks) -> None:
    """Make Gradio look for new events less often: every millisecond would take Python time from a training network.

    The one private attribute of Gradio in this program, since there is no public way; where it is gone Gradio's own
    pace stays, and a test says so.
    """
    queue = getattr(demo, "_queue", None)
    for name, seconds in (("sleep_when_free", QUEUE_SECONDS), ("progress_update_sleep_when_free", PROGRESS_SECONDS)):
        if hasattr(queue, name):
            setattr(queue, name, seconds)


def listed(desk: Desk) -> list[Any]:
    """Return the checkpoints by name, with a description each, for the lists of the page and the Noise tab."""
    labels = desk.offer()
    known = [(label, name) for name, label in labels.items()]
    networks = [(label, name) for label, name in known if not is_ideal(name)]
    return [
        choices_of(known),
        choices_of([*networks, *untrained(labels)]),
        choices_of([*named([NO_GUIDE]), *networks]),
        {"checkpoints": labels},
    ]


def name_of(path: Path) -> str:
    """Return what the page and its links call a checkpoint: a shipped one's name, or the file's, without its ending.

    A file with the name of a shipped one that is a different file keeps its ending.
    """
    known = known_as(path)
    if known in shipped_checkpoints():
        return known
    return path.name if path.stem in shipped_checkpoints() else path.stem


def restore(request: gr.Request) -> list[Any]:
    """Answer a page that opens: set what the query string of its address asks for."""
    link = read_link(request.query_params)
    if link is None:
        return [gr.skip()] * 14 + [READ]
    fields = [gr.skip() if value is None else value for value in (link.label, link.which, link.seed)]
    custom = [link.custom.beta_1, link.custom.beta_T, link.custom.timesteps]
    schedule_view, words = describe_schedule(link.custom)
    # whole, not only what the link changes: it may reach the page before the first value has been read there
    view = {**first_noise_value(), **link.view, "tables": schedule_view["tables"], "note": link.note}
    reach = from_link(link.dilations) if link.dilations else [gr.skip()] * 5
    return [*fields, *custom, *for_visitor([view, schedule_view, words]), *reach, READ]
