// @ts-check
/** What the keeper tells: whose screen it is, how long it lasts, messages; and how it is shown. */

import { copy, part, say, show } from "../elements.js";
import { duration } from "../words.js";

export const SHORT = 8000; // milliseconds that a confirmation stays
const LAST = 60; // seconds before the end, when a notice that was closed comes again

/**
 * @typedef {object} News as lib/desktop/session/news.py composes them
 * @property {string} title
 * @property {string} name
 * @property {string} state
 * @property {string} reason
 * @property {number|null} left seconds
 * @property {number|null} warn seconds
 * @property {boolean} asks whether a token is typed
 * @property {{text: string, from: string, at: number}|null} message
 */

/**
 * Lay a notice over the desktop, instead of the one with the same id.
 * @param {string} id @param {{from?: string, text: string, act?: string}} words
 * @param {{act?: () => void, close?: () => void}} [does] when its buttons are pressed
 * @param {number} [stays] milliseconds, else until it is closed
 */
export function lay(id, words, does = {}, stays = 0) {
  const notice = copy("notice", { from: "", act: "", close: "Close", ...words });
  if (!notice) return;
  notice.dataset.id = id;
  const take = (/** @type {string} */ name, /** @type {(() => void)|undefined} */ act) => (
    notice.querySelector(`[data-fill=${name}]`)?.addEventListener("click", () => {
      notice.remove();
      act?.();
    }));
  take("act", does.act);
  take("close", does.close);
  lift(id);
  part("notices").append(notice);
  if (stays) window.setTimeout(() => notice.remove(), stays);
}

/** @param {string} id */
export function lift(id) {
  document.querySelector(`#notices [data-id=${id}]`)?.remove();
}

export class Tidings {
  /** @param {() => (() => void)|undefined} extend what puts off the end, for who may */
  constructor(extend) {
    this.extend = extend;
    this.end = /** @type {number|null} */ (null);
    this.warn = /** @type {number|null} */ (null);
    this.asks = true;
    this.heard = 0; // when the message came that was laid over last
    this.closed = Infinity; // seconds that were left when the notice was closed
    this.said = "";
    window.setInterval(() => this.tick(), 1000);
  }

  /** Say nothing of the end while there is no connection: it may have been put off. */
  rest() {
    this.end = null;
    this.said = "";
    this.tick();
  }

  /** @param {News} news */
  hear(news) {
    const { left, title, message } = news;
    const end = left === null ? null : performance.now() + left * 1000;
    // Put off: what was said about the end holds no more.
    if (end === null || (this.end !== null && end - this.end > 30000)) this.closed = Infinity;
    this.end = end;
    this.warn = news.warn;
    this.asks = news.asks;
    say("title", title);
    document.title = `${title} · Remote desktop`;
    document.querySelector("#screen canvas")?.setAttribute("aria-label", `Screen of ${title}`);
    const paused = news.state === "paused";
    say("state", paused ? `Paused${news.reason ? `: ${news.reason}` : ""}` : "Connected");
    part("state")?.classList.toggle("paused", paused);
    if (message && message.at > this.heard) {
      this.heard = message.at;
      lay("message", { from: `${message.from}:`, text: message.text });
    }
    this.tick();
  }

  tick() {
    show("left", this.end !== null);
    if (this.end === null) {
      lift("end");
      return;
    }
    const left = Math.max(0, Math.round((this.end - performance.now()) / 1000));
    say("left", `${duration(left)} left`);
    const soon = this.warn !== null && left <= this.warn;
    part("left")?.toggleAttribute("data-soon", soon);
    if (!soon || (this.closed !== Infinity && (left > LAST || this.closed <= LAST))) {
      if (!soon) lift("end");
      this.said = "";
      return;
    }
    this.announce(left);
  }

  /** Say that the end is near; a reader of screens hears it once a minute. @param {number} left */
  announce(left) {
    const when = left > LAST ? `in ${Math.ceil(left / 60)} min` : "within a minute";
    const extend = this.extend();
    if (this.said === `${when} ${Boolean(extend)}`) return;
    this.said = `${when} ${Boolean(extend)}`;
    lay("end", { from: `This machine ends ${when}.`, text: "Save your work elsewhere.",
      act: extend ? "Extend" : "" },
    { act: extend, close: () => { this.closed = left; } });
  }
}
