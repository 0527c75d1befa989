// @ts-check
/** How the screen fits the window, and the full screen. */

import { part, say } from "../elements.js";

const KEPT = "remote-desktop.fit"; // in this browser

export class Fit {
  /** @param {HTMLElement} room where the screen is */
  constructor(room) {
    this.room = room;
    this.rfb = /** @type {any} */ (null);
    this.typing = false; // the keyboard of a phone covers half of the window for a while
    this.mode = recall();
    for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (
      document.querySelectorAll("input[name=fit]"))) {
      input.checked = input.value === this.mode;
      input.addEventListener("change", () => this.choose(input.value));
    }
    part("drag").addEventListener("change", () => this.apply());
    new MutationObserver(() => this.apply()).observe(room, {
      subtree: true, attributes: true, attributeFilter: ["width", "height"] });
    addEventListener("resize", () => this.apply());
    offerFullScreen();
  }

  /** @param {string} mode */
  choose(mode) {
    this.mode = mode;
    try {
      localStorage.setItem(KEPT, mode);
    } catch { /* then it is asked for again */ }
    this.apply();
  }

  /** @param {any} rfb a new connection */
  take(rfb) {
    this.rfb = rfb;
    this.apply();
  }

  /** Have noVNC do as chosen. What it has already is not said again: it would ask the machine. */
  apply() {
    const drag = part("drag");
    drag.disabled = this.mode !== "keep";
    if (!this.rfb) return;
    const wanted = {
      resizeSession: this.mode === "follow" && !this.typing,
      scaleViewport: this.mode === "scale" || (this.mode === "follow" && this.tooLarge()),
      clipViewport: this.mode === "keep",
      dragViewport: this.mode === "keep" && drag.checked,
    };
    for (const [name, value] of Object.entries(wanted)) {
      if (this.rfb[name] !== value) this.rfb[name] = value;
    }
  }

  /** A machine that cannot follow, or not yet, is better seen small than in part. */
  tooLarge() {
    const canvas = this.room.querySelector("canvas");
    return Boolean(canvas) && (canvas.width > this.room.clientWidth
      || canvas.height > this.room.clientHeight);
  }
}

/** @returns {string} */
function recall() {
  let kept = null;
  try {
    kept = localStorage.getItem(KEPT);
  } catch { /* nothing is kept here */ }
  return kept && ["follow", "scale", "keep"].includes(kept) ? kept : "follow";
}

function offerFullScreen() {
  const button = part("full");
  button.hidden = !document.fullscreenEnabled;
  button.addEventListener("click", async () => {
    if (document.fullscreenElement) {
      await document.exitFullscreen();
      return;
    }
    await document.documentElement.requestFullscreen().catch(() => {});
    // Chromium then leaves Alt+Tab, Escape and the like to the machine.
    await /** @type {any} */ (navigator).keyboard?.lock?.().catch(() => {});
  });
  document.addEventListener("fullscreenchange", () => {
    const on = Boolean(document.fullscreenElement);
    button.setAttribute("aria-pressed", String(on));
  });
}
