"""A film's messages without visitors: its steps made by the executors' own path, written down as for the page."""

from ddpm_demo.films.film_job import FilmWalk, film_alone
from ddpm_demo.networks.loaded_networks import classifier_at
from ddpm_demo.ui.film.stream import FilmMessages, film_job, new_film


def film_messages(loaded, settings, films, *, guide=None):
    """Make a film here and now; yield its messages in order, and leave its floats in `films`."""
    job, film = film_job(loaded, settings, guide), new_film(loaded, settings, guide)
    walk = FilmWalk(job, loaded.schedule)
    films.add(job.key, film)
    messages = FilmMessages(job.key, film, films)
    yield messages.begin(walk.x)
    classify = classifier_at(loaded.schedule, loaded.placement.device) if job.digit else None
    for film_step in film_alone(loaded, guide, walk, classify):
        yield from messages.take(film_step)
