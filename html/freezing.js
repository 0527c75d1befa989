// @ts-check
/** Keeps up to date, while somebody looks, how far a machine is that is being frozen. */

import { ask, paint } from "./ask.js";

const PAUSE = 2000; // milliseconds

/** @param {HTMLElement} place what is being frozen; the page is loaded anew when that is over */
async function follow(place) {
  if (document.visibilityState === "visible") {
    let there = false;
    const answer = await ask("monitor?freezing=1");
    if (answer?.status === 401 || answer?.status === 403) return;
    if (answer?.ok) {
      const { freezing } = await answer.json().catch(() => ({ freezing: {} }));
      if (!freezing) return location.reload();
      const words = place.querySelector("[data-words]");
      if (words && freezing.words) words.textContent = freezing.words;
      there = Boolean(freezing.screen);
    }
    const view = /** @type {HTMLElement|null} */ (place.querySelector("[data-picture]"));
    const picture = there && view && await ask(view.dataset.picture ?? "", "image/png");
    if (picture && picture.ok) await paint(view, await picture.blob());
  }
  window.setTimeout(follow, PAUSE, place);
}

const place = /** @type {HTMLElement|null} */ (document.querySelector("[data-freezing]"));
if (place) follow(place);
