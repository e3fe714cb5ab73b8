"""The page's modules as one script, and its style, for the lab.

A browser lets no module of a file import another one, nor a worker of a file import anything: so each module becomes
a function that is called once, behind all that it imports. Prettier and the checks of the JavaScript see to it that
imports and exports are written in the few ways that are understood here; what is written otherwise is refused.
"""

import re
from collections.abc import Mapping

from gradio.themes import Base

from ddpm_demo.ui.look import HEAD_STYLES, STYLE_SHEETS, theme
from ddpm_demo.ui.page_head import LESSONS_STYLE, words_in_page
from ddpm_demo.ui.parts.bridge import STATIC
from ddpm_demo.ui.words.language import ENGLISH, Language

ENTRY = "lab/lab.js"
WORKER = "net/worker.js"
# modules of the page that ask a server, and those that stand in their place
REPLACED: Mapping[str, str] = {
    "network_files.js": "lab/network_files.js",
    "film/film_maker.js": "lab/film_maker.js",
    "film/device_run.js": "lab/device_run.js",
    "film/where.js": "lab/where.js",
    "lessons/live.js": "lab/live.js",
    "room.js": "lab/room.js",
}
LAB_STYLE = STATIC / "lab" / "lab.css"
IMPORT_LINE = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";$', re.MULTILINE)
EXPORT_WORD = re.compile(r"^export (?=(?:async )?(?:function\*?|const|class) (\w+))", re.MULTILINE)
LATER = re.compile(r'(?<=await )import\("(\.[^"]+)"\)')
NOT_READ = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
SET_BY_SCRIPT = re.compile(r'setProperty\("--([a-z0-9-]+)"')
VARIABLE = re.compile(r"var\(--([a-z0-9-]+)\)")


def one_script(entry: str, language: Language = ENGLISH) -> str:
    """Return a browser module of `static/` and all that it imports as one script, which says all in one language."""
    exports: dict[str, set[str]] = {}
    parts: list[str] = []
    under_way: list[str] = []

    def visit(name: str) -> None:
        if name in exports:
            return
        assert name not in under_way, f"{' -> '.join([*under_way, name])}: modules import in a circle"
        under_way.append(name)
        path = STATIC / name

        def found(address: str) -> str:
            other = (path.parent / address).resolve().relative_to(STATIC).as_posix()
            other = REPLACED.get(other, other)
            visit(other)
            return other

        def linked(match: re.Match[str]) -> str:
            other, names = found(match[2]), [each.strip() for each in match[1].split(",") if each.strip()]
            unknown = {each.split(" as ")[0] for each in names} - exports[other]
            assert not unknown, f"{name} imports {unknown} from {other}, whose exports are not read"
            return f"const {{ {', '.join(each.replace(' as ', ': ') for each in names)} }} = modules[{other!r}];"

        text = IMPORT_LINE.sub(linked, path.read_text(encoding="utf-8"))
        text = LATER.sub(lambda match: f"modules[{found(match[1])!r}]", text)
        names = EXPORT_WORD.findall(text)
        text = EXPORT_WORD.sub("", text)
        unread = NOT_READ.search(text) or re.search(r"import\.meta\.\w+", text)
        assert unread is None, f"{name} has {unread and unread[0]!r}, which is not understood"
        exports[name] = set(names)
        parts.append(f"modules[{name!r}] = (() => {{\n{text}\nreturn {{ {', '.join(names)} }};\n}})();\n")
        under_way.pop()

    visit(entry)
    words = "" if language is ENGLISH else f"globalThis.ddpmWords = {words_in_page(language, [])};\n"
    script = f'"use strict";\n{words}const modules = {{}};\n' + "".join(parts)
    assert "</script" not in script.lower(), "a module would end the script that it stands in"
    assert "<!--" not in script, "a module would begin a comment of HTML"
    return script


def lab_style() -> str:
    """Return the style of the whole page: the theme's variables that it uses, light and dark, and the style sheets."""
    sheets = "\n".join(
        path.read_text(encoding="utf-8") for path in [LAB_STYLE, *STYLE_SHEETS, *HEAD_STYLES, LESSONS_STYLE]
    )
    own = {name for name in re.findall(r"--([a-z0-9-]+):", sheets) if name.startswith("ddpm-")}
    own |= {name for path in STATIC.rglob("*.js") for name in SET_BY_SCRIPT.findall(path.read_text(encoding="utf-8"))}
    names = sorted(set(VARIABLE.findall(sheets)) - own)
    look = theme()
    light, dark = ("".join(_variable(look, name, dark=dark) for name in names) for dark in (False, True))
    return f":root{{{light}}}\n.dark{{{dark}}}\n{sheets}"


def _variable(look: Base, name: str, *, dark: bool) -> str:
    """A variable of Gradio's with its value in our theme; nothing where dark is as light."""
    attribute = name.replace("-", "_")
    value = getattr(look, attribute + "_dark", None) if dark else getattr(look, attribute, None)
    while isinstance(value, str) and value.startswith("*"):
        known = value[1:]
        value = (getattr(look, known + "_dark", None) if dark else None) or getattr(look, known)
    assert value is not None or dark, f"the theme has no {name}"
    return "" if value is None else f"--{name}:{value};"
