// The timestep that the student is looking at, shared by the tabs: drag it on one, and the others follow.

let current = 300;
const listeners = new Set();

export const sharedT = () => current;

/** Set t; every listener but the one that set it is told. */
export function setSharedT(t, source) {
  current = t;
  for (const listener of listeners) if (listener !== source) listener(t);
}

export const onSharedT = (listener) => listeners.add(listener);
