// Runs in the page's head, before Gradio's own code. Gradio 6 lets the clock of its loading screen run for as long as
// the page is open: sixty frames a second in which nothing is drawn. They took five percent of a processor core, which a
// network that is being trained on the same computer has better use for. The clock keeps the requestAnimationFrame that
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
