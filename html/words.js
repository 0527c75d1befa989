// @ts-check
/** Sizes and times in words, and the notice before the end, as in the pages of the server. */

/** @param {number} mb @returns {string} */
export function memory(mb) {
  return mb >= 1024 ? `${+(mb / 1024).toFixed(1)}\u00a0GB` : `${mb}\u00a0MB`;
}

/** @param {Element|null} place where it says why a session is as it is @param {string} reason */
export function remark(place, reason) {
  if (!(place instanceof HTMLElement)) return;
  place.hidden = !reason;
  if (place.textContent !== reason) place.textContent = reason;
}

/** @param {Element} root where times are shown as they are here */
export function local(root) {
  for (const time of root.querySelectorAll("time")) {
    const moment = new Date(time.dateTime);
    const today = moment.toDateString() === new Date().toDateString();
    if (!Number.isNaN(moment.valueOf())) {
      time.textContent = moment.toLocaleString([], {
        hour: "2-digit", minute: "2-digit", ...today ? {} : { month: "short", day: "numeric" },
      });
    }
  }
}

/** @param {number} seconds @returns {string} two units at most, such as `3 h 5 min` */
export function duration(seconds) {
  const left = Math.max(0, Math.floor(seconds));
  const units = /** @type {[string, number][]} */ (
    [["days", 86400], ["h", 3600], ["min", 60], ["s", 1]]);
  const at = left >= 172800 ? 0 : left >= 3600 ? 1 : left >= 60 ? 2 : 3;
  return units.slice(at, at + 2)
    .map(([unit, size], place) => (
      [Math.floor((place ? left % units[at][1] : left) / size), unit]))
    .filter(([count], place) => count || !place)
    .map(([count, unit]) => `${count} ${unit}`).join(" ");
}

/**
 * Show the notice before the end of a session when it is time, and how long that is.
 * @param {Element|null} notice @param {number} left   seconds
 */
export function ending(notice, left) {
  if (!(notice instanceof HTMLElement)) return;
  notice.hidden = !(left > 0 && left <= Number(notice.dataset.ending));
  const words = notice.querySelector("span");
  if (words) words.textContent = duration(left);
}
