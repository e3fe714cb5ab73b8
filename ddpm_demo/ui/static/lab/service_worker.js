// Keeps the files of a lab that stands in a folder, so that it opens again without a network. `ddpm-demo lab FOLDER`
// writes it, with the version and the names of those files.
const { version, files } = JSON.parse("@lab@");
const worker = /** @type {any} */ (self);
const mine = `ddpm-lab ${worker.registration.scope} `; // another folder of this web space may have another lab

worker.addEventListener("install", (/** @type {any} */ event) => {
  worker.skipWaiting();
  const fresh = files.map((/** @type {string} */ name) => new Request(name, { cache: "reload" }));
  event.waitUntil(caches.open(mine + version).then((cache) => cache.addAll(fresh)));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  const tidied = caches.keys().then((names) => {
    const old = names.filter((name) => name.startsWith(mine) && name !== mine + version);
    return Promise.all(old.map((name) => caches.delete(name)));
  });
  event.waitUntil(tidied.then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const kept = caches
    .open(mine + version)
    .then((cache) => cache.match(event.request, { ignoreSearch: event.request.mode === "navigate" }));
  event.respondWith(kept.then((found) => found ?? fetch(event.request)));
});
