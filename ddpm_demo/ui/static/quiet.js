// Stops the clock of Gradio's loading screen, which Gradio 6 lets run for as long as the page is open: sixty frames a
// second in which nothing is drawn, five percent of a processor core that a network being trained there has better use
// for. The clock keeps a requestAnimationFrame of its own; everybody else asks window, and is told apart by that.
const native = window.requestAnimationFrame.bind(window);
const others = new Set(); // the frames that are still to come, and not the clock's
const RECENT = 100; // frames are numbered as they are asked for: one that is still to come is among the newest

window.requestAnimationFrame = (callback) => {
  const id = native((now) => { others.delete(id); callback(now); });
  others.add(id);
  return id;
};
// by the second frame from here every one that was asked for before has come
native(() => native(() => {
  window.requestAnimationFrame = native;
  const newest = native(() => {});
  for (let id = newest - RECENT; id < newest; id++) if (!others.has(id)) cancelAnimationFrame(id);
}));
