// @ts-check
/** Asks the service, again and again where wanted, and shows the pictures that it answers with. */

/**
 * @param {string} address @param {string} [kind] what is wanted, JSON if nothing is said
 * @returns {Promise<Response|null>} null when nobody answers
 */
export function ask(address, kind = "application/json") {
  return fetch(address, { headers: { Accept: kind }, cache: "no-store" }).catch(() => null);
}

/**
 * Do something again and again: nobody is asked while nobody looks.
 * @param {() => Promise<boolean|void>} look true when it is over
 * @param {number} pause milliseconds
 */
export async function whileVisible(look, pause) {
  if (document.visibilityState === "visible" && await look()) return;
  window.setTimeout(whileVisible, pause, look, pause);
}

/**
 * Have the service do something.
 * @param {Record<string, string>|URLSearchParams} fields
 * @returns {Promise<{ok: boolean, status: number, facts: any}|null>} null when nobody answers
 */
export async function tell(fields) {
  const answer = await fetch("monitor", {
    method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" },
  }).catch(() => null);
  if (!answer) return null;
  return { ok: answer.ok, status: answer.status, facts: await answer.json().catch(() => null) };
}

/**
 * Show a picture in a place of the page, on the canvas that is there or a new one.
 * @param {Element} place @param {Blob} picture what cannot be read is left out
 */
export async function paint(place, picture) {
  const bitmap = await createImageBitmap(picture).catch(() => null);
  if (!bitmap) return;
  const canvas = place.querySelector("canvas") ?? document.createElement("canvas");
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
  place.append(canvas);
}
