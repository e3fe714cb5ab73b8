// Runs in the page's head, before Gradio's own code.

// A browser without these leaves the pictures empty and says nothing: so this does, in words that old ones understand.
{
  const known = /** @type {any} */ (window).ddpmWords;
  const say = (/** @type {string} */ sentence) => (known && known.words[sentence]) || sentence;
  const needed = {
    DecompressionStream: "DecompressionStream" in window, // Chrome 80, Firefox 113, Safari 16.4
    ResizeObserver: "ResizeObserver" in window,
    structuredClone: "structuredClone" in window,
    ":has()": Boolean(window.CSS && CSS.supports && CSS.supports("selector(:has(*))")), // Chrome 105, Firefox 121, Safari 15.4
  };
  const missing = Object.keys(needed).filter((name) => !needed[name]);
  if (missing.length) {
    addEventListener("DOMContentLoaded", () => {
      const words = document.createElement("p");
      words.id = "old-browser";
      words.setAttribute("role", "alert");
      words.style.cssText =
        "position:relative;z-index:2000;margin:0;padding:12px;background:#fff3cd;color:#333;font:16px sans-serif";
      words.textContent = say(
        "This browser is too old for this page: it has no {missing}. " +
          "Chrome or Edge 105, Firefox 121, Safari 16.4 and everything newer can show it.",
      ).replace("{missing}", missing.join(", "));
      document.body.prepend(words);
    });
  }
}

// The page's root is where the browser opened it. The server cannot know: many proxies serve a page under a path of
// theirs and do not say which (Jupyter, code-server, VS Code's ports), and the request that arrives names none.
{
  const root = new URL(".", location.href).href.replace(/\/$/, "");
  /** @type {any} */
  let config;
  Object.defineProperty(window, "gradio_config", {
    configurable: true,
    get: () => config,
    set: (given) => {
      config = given && { ...given, root };
    },
  });
}

// Gradio 6 lets the clock of its loading screen run for as long as
// the page is open: sixty frames a second in which nothing is drawn. They took five percent of a processor core, which a
// network in training on the same computer can use better. The clock keeps the requestAnimationFrame that
// it finds at its own start, where all others ask window each time; so it gets one that is slow once the page stands.
{
  const native = window.requestAnimationFrame;
  let slow = false;
  window.requestAnimationFrame = (callback) => (slow ? setTimeout(() => native(callback), 1000) : native(callback));
  new MutationObserver((_, observer) => {
    if (slow || !document.querySelector("gradio-app .ddpm-mount")) return; // Gradio's code is there once a component of ours is
    slow = true;
    window.requestAnimationFrame = native;
    observer.disconnect();
  }).observe(document, { childList: true, subtree: true });
}

// Gradio's own words are in the first of the browser's languages: the page's, which the visitor or the host may have
// chosen. A link carries no language, so the choice leaves the address; a cookie keeps it.
{
  const words = /** @type {any} */ (window).ddpmWords;
  if (words) {
    Object.defineProperty(navigator, "language", { configurable: true, get: () => words.code });
    Object.defineProperty(navigator, "languages", { configurable: true, get: () => [words.code] });
    const address = new URL(location.href);
    if (address.searchParams.has("lang")) {
      address.searchParams.delete("lang");
      history.replaceState(history.state, "", address);
    }
  }
}
