// @ts-check
/** The viewer: joins the line to the machine with what surrounds its screen. */

import { part } from "../elements.js";
import * as address from "./address.js";
import { Line } from "./line.js";
import { veil } from "./veil.js";

const here = address.read(location);
const pages = Boolean(here.session);
const line = new Line(part("screen"), here, {
  state: (state, words) => {
    veil(state, words ?? "", pages);
    if (state === "connected") line.rfb.focus();
  },
  news: () => {},
  opened: (rfb) => { rfb.resizeSession = true; },
});

part("ask").addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  line.answer(part("token").value.trim());
  part("token").value = "";
});
part("connect").addEventListener("click", () => { line.tries = 0; line.connect(); });
addEventListener("hashchange", () => location.reload());

if (!here.socket) veil("nowhere", "", false);
else if (here.wait) line.become("waiting");
else line.connect();
