// @ts-check
/** Elements of a page that a site may have changed: what is missing is left alone. */

/** @param {string} id @returns {any} the element, or null where the site deleted it */
export function part(id) {
  return document.getElementById(id);
}

/** @param {string} id @param {string} text */
export function say(id, text) {
  const element = part(id);
  if (element && element.textContent !== text) element.textContent = text;
}

/** @param {string} id @param {boolean} shown */
export function show(id, shown) {
  const element = part(id);
  if (element) element.hidden = !shown;
}

/**
 * Copy a template of the page and fill its marked places; a place without a text goes.
 * @param {string} id @param {Record<string, string>} texts
 * @returns {HTMLElement|null}
 */
export function copy(id, texts) {
  const element = part(id)?.content?.firstElementChild?.cloneNode(true) ?? null;
  for (const [name, text] of Object.entries(texts)) {
    const place = element?.querySelector(`[data-fill=${name}]`);
    if (text && place) place.textContent = text;
    else place?.remove();
  }
  return element;
}

/**
 * The text that the page came with, kept the first time it is asked for.
 * @param {HTMLElement} element @returns {string}
 */
export function usual(element) {
  element.dataset.usual ??= element.textContent ?? "";
  return element.dataset.usual;
}
