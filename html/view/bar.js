// @ts-check
/** The bar at the upper edge: there when it is wanted, else only its handle. */

import { part } from "../elements.js";

const STAYS = 4000; // milliseconds
const CHORD = ["Control", "Alt", "Shift"]; // pressed and released together: the keyboard's way in

export class Bar {
  /**
   * @param {() => void} back gives the keyboard to the machine
   * @param {() => void} release lets go of the keys that the machine was told are down
   */
  constructor(back, release) {
    this.back = back;
    this.release = release;
    this.bar = part("bar");
    this.handle = part("handle");
    this.timer = 0;
    this.handle.addEventListener("click", () => (this.shown ? this.leave() : this.show(true)));
    this.bar.addEventListener("pointerleave", () => this.later());
    this.bar.addEventListener("focusout", () => this.later());
    this.bar.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this.walk(event));
    addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse" && event.clientY < 3 && !event.buttons) this.show();
    }, true);
    this.listen();
  }

  get shown() {
    return document.body.dataset.bar !== "hidden";
  }

  /** @param {boolean} [focus] whether the keyboard goes there */
  show(focus = false) {
    document.body.dataset.bar = "shown";
    this.handle.setAttribute("aria-expanded", "true");
    if (focus) this.buttons()[0]?.focus();
    this.later();
  }

  hide() {
    window.clearTimeout(this.timer);
    document.body.dataset.bar = "hidden";
    this.handle.setAttribute("aria-expanded", "false");
  }

  leave() {
    this.hide();
    this.back();
  }

  /** Go away in a while, unless somebody is there or the screen is covered anyway. */
  later() {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const busy = this.bar.matches(":hover, :focus-within")
        || document.querySelector("dialog[open]")
        || document.body.dataset.state !== "connected";
      if (busy) this.later();
      else this.hide();
    }, STAYS);
  }

  /** @returns {HTMLButtonElement[]} */
  buttons() {
    return [...this.bar.querySelectorAll("button:not([hidden])")];
  }

  /** Arrow keys go from tool to tool, Escape back to the machine. @param {KeyboardEvent} event */
  walk(event) {
    const tools = this.buttons();
    const at = tools.findIndex((tool) => tool === document.activeElement);
    const last = tools.length - 1;
    const next = { ArrowRight: at < last ? at + 1 : 0, ArrowLeft: at > 0 ? at - 1 : last,
      Home: 0, End: last }[event.key];
    if (event.key === "Escape") this.leave();
    else if (next !== undefined) tools[next]?.focus();
    else return;
    event.preventDefault();
  }

  /** Ctrl, Alt and Shift alone bring the bar; with another key they are the machine's. */
  listen() {
    let alone = false;
    addEventListener("keydown", (event) => {
      alone = CHORD.includes(event.key) || event.key === "Meta"
        ? event.ctrlKey && event.altKey && event.shiftKey : false;
    }, true);
    addEventListener("keyup", () => {
      if (!alone) return;
      alone = false;
      this.release();
      this.show(true);
    }, true);
  }
}
