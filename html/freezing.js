// @ts-check
/** Keeps up to date, while somebody looks, how far a machine is that is being frozen. */

import { ask, paint, whileVisible } from "./ask.js";

const PAUSE = 2000; // milliseconds

/**
 * Show how far it is; when that is over, the page is loaded anew.
 * @param {HTMLElement} place what is being frozen
 * @returns {Promise<boolean>} whether there is nothing more to be seen
 */
async function look(place) {
  const answer = await ask("monitor?freezing=1");
  if (!answer?.ok) return answer?.status === 401 || answer?.status === 403;
  const { freezing } = await answer.json().catch(() => ({ freezing: {} }));
  if (!freezing) {
    location.reload();
    return true;
  }
  const words = place.querySelector("[data-words]");
  if (words && freezing.words) words.textContent = freezing.words;
  const view = /** @type {HTMLElement|null} */ (place.querySelector("[data-picture]"));
  const picture = freezing.screen && view && await ask(view.dataset.picture ?? "", "image/png");
  if (view && picture?.ok) await paint(view, await picture.blob());
  return false;
}

const place = /** @type {HTMLElement|null} */ (document.querySelector("[data-freezing]"));
if (place) whileVisible(() => look(place), PAUSE);
