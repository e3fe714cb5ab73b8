// Where films are made: in the lab always here, whatever this browser was told on a page that has a server. It stands for
// ../film/where.js there.

/** @returns {"automatic" | "device" | "server"} */
export const chosenPlace = () => "device";
