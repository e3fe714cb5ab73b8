"""Which language a visitor reads: by `?lang=`, by the page's own switch, or by the browser's languages."""

from collections.abc import Callable
from contextvars import ContextVar
from http.cookies import CookieError, SimpleCookie
from typing import Any

from gradio.context import LocalContext
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ddpm_demo.ui.words.language import ENGLISH, Language, best_code, codes, in_language, language

COOKIE = "ddpm_language"
QUERY = "lang"
SCOPE_KEY = "ddpm_language"  # of a request
YEAR = 365 * 24 * 3600  # seconds
_LANGUAGE: ContextVar[Language | None] = ContextVar("language", default=None)


def visitors_language() -> Language:
    """Return the language of whoever is being answered; English where nobody is.

    What stands in Gradio's queue is run by a task that Gradio's own first request brought about, whose language it
    has kept: so the request of the event itself comes first.
    """
    asked: Any = LocalContext.request.get(None)
    asked = getattr(asked, "request", asked)  # Gradio's own has the server's in it
    found: Language | None = None if asked is None else asked.scope.get(SCOPE_KEY)
    return found or _LANGUAGE.get() or ENGLISH


def for_visitor(value: Any) -> Any:
    """Return any value with all sentences in it as the visitor reads them."""
    return in_language(value, visitors_language())


def visitors_words() -> Callable[[Any], Any]:
    """Return what says any value as the visitor of this moment reads it, later and in other threads too."""
    reader = visitors_language()
    return lambda value: in_language(value, reader)


def visitors_choice(headers: Headers, query: QueryParams, usual: str | None = None) -> str:
    """Return the code of the language that a request is answered in; `usual` stands in the place of the browser's."""
    chosen = best_code([query.get(QUERY, ""), cookie_of(headers), usual or ""], codes())
    if chosen is None and usual is None:
        chosen = best_code(accepted(headers), codes(drafts=False))
    return chosen or ENGLISH.code


def cookie_of(headers: Headers) -> str:
    """Return the language that a visitor has chosen before, empty if none."""
    try:
        kept = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return kept.value if kept is not None else ""


def accepted(headers: Headers) -> list[str]:
    """Return the browser's languages, the best first: RFC 9110, section 12.5.4."""
    weighed = []
    for place, entry in enumerate(headers.get("accept-language", "").split(",")):
        tag, *parameters = (part.strip() for part in entry.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            weighed.append((-float(weight), place, tag))
        except ValueError:
            continue
    return [tag for weight, _, tag in sorted(weighed) if weight < 0]


class VisitorsLanguage:
    """ASGI middleware that answers every visitor in a language of theirs.

    Where the host has named the `usual` one, it is everybody's who has not chosen another.
    """

    def __init__(self, app: ASGIApp, usual: str | None = None) -> None:
        self.app, self.usual = app, usual

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, the language known to whatever runs for this request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        query = QueryParams(scope["query_string"])
        chosen = language(visitors_choice(Headers(scope=scope), query, self.usual))
        scope[SCOPE_KEY] = chosen

        async def remember(message: Message) -> None:
            if message["type"] == "http.response.start" and query.get(QUERY):
                cookie = f"{COOKIE}={chosen.code}; Max-Age={YEAR}; Path=/; SameSite=Lax"
                MutableHeaders(raw=message["headers"]).append("set-cookie", cookie)
            await send(message)

        token = _LANGUAGE.set(chosen)
        try:
            await self.app(scope, receive, remember)
        finally:
            _LANGUAGE.reset(token)
