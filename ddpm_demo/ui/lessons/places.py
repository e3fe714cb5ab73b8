"""The parts of the page that a lesson can name: to lock one, to lead to it, or to wait until it was used."""

# name in a lesson's file -> where it stands on the page; a browser test looks for each of them
CONTROLS = {
    "timestep": "#noise-view .ddpm-slider",
    "noise picture": "#noise-view",
    "network's answer": "#noise-view .ddpm-guesses, #noise-details .ddpm-network",
    "chain": "#noise-details .ddpm-chain",
    "schedule view": "#schedule-chart",
    "flow matching": "#schedule-chart .ddpm-flow",
    "schedule words": "#schedule-words",
    "network diagram": "#network-view",
    "receptive map": "#receptive-map",
    "receptive chart": "#receptive-chart",
    "receptive table": "#receptive-table",
    "receptive patches": "#receptive-patches",
    "generate button": "#generate-start",
    "film": "#generate-film",
    "film as flow": '#generate-film details[data-name="flow"]',
    "same start twice": "#experiment-same-x_T",
    "few or many steps": "#experiment-steps",
    "beside a perfect network": "#experiment-ideal",
    "perfect answer": "#noise-details .ddpm-ideal",
    "race": "#race-film",
    "asked in parts": "#experiment-asked-in-parts",
    "completion": "#completion",
    "train button": "#train-start",
    "training": "#train-view",
    "own drawings": "#own-drawings",
}
# what a task can wait for; `range` takes at_least and at_most, `is` takes is, `press` takes a control
WATCHES = {
    "t": "range",  # the shared timestep
    "layers": "range",  # the slider of the receptive map
    "schedule": "is",  # the shared choice of schedule
    "pixel": "change",
    "stage": "change",
    "film": "done",  # a film is finished
    "race": "done",  # all lanes of a race are finished
    "training": "done",  # a run has a loss to show
    "completion": "anew",  # one more drawing is finished
    "press": "press",
}
