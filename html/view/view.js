// @ts-check
/** The viewer: joins the line to the machine with what surrounds its screen. */

import { part } from "../elements.js";
import * as address from "./address.js";
import { Bar } from "./bar.js";
import { copyText, hearClipboard, offerClipboard } from "./clipboard.js";
import { Fit } from "./fit.js";
import { offerKeys, releaseAll } from "./keys.js";
import { Line } from "./line.js";
import { Owner } from "./owner.js";
import { lay, SHORT, Tidings } from "./tidings.js";
import { offerTyping } from "./typing.js";
import { veil } from "./veil.js";

const here = address.read(location);
const room = part("screen");
const owner = new Owner(here.session);
const tidings = new Tidings(() => owner.extending);
const fit = new Fit(room);

const line = new Line(room, here, {
  state: (state, words) => {
    veil(state, words ?? "", Boolean(here.session));
    if (state !== "connected") {
      tidings.rest();
      bar.show();
      return;
    }
    fit.take(line.rfb);
    bar.show();
    line.rfb.focus();
    owner.look().then(() => { line.mine = Boolean(owner.facts); });
  },
  news: (news) => tidings.hear(news),
  opened: (rfb) => {
    hearClipboard(rfb);
    const canvas = room.querySelector("canvas");
    canvas?.setAttribute("role", "application");
    canvas?.setAttribute("aria-label", "Screen of the machine");
    if (canvas) canvas.tabIndex = 0;
    // Where fingers are, noVNC draws the pointer itself, beside everything else.
    for (const pointer of document.querySelectorAll("body > canvas")) {
      pointer.setAttribute("aria-hidden", "true");
    }
  },
});
const rfb = () => (line.state === "connected" ? line.rfb : null);
const bar = new Bar(() => rfb()?.focus(), () => releaseAll(rfb()));

offerKeys(rfb);
offerClipboard(rfb);
offerTyping(rfb, (on) => { fit.typing = on; fit.apply(); });

for (const name of ["keys", "clipboard", "fit", "help", "stop"]) {
  part(`open-${name}`).addEventListener("click", () => part(name).showModal());
  part(name).addEventListener("close", () => {
    bar.later();
    rfb()?.focus();
  });
}

part("extend").addEventListener("click", () => owner.extend());
part("stop").addEventListener("close", () => {
  if (part("stop").returnValue === "stop") owner.stop();
});
part("share").addEventListener("click", async () => {
  const text = address.toShare(location, tidings.asks);
  const said = await copyText(text) ? "The address is copied." : text;
  lay("done", { text: tidings.asks ? `${said} Whoever opens it types the token.` : said }, {},
    SHORT);
});

part("ask").addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  line.answer(part("token").value.trim());
  part("token").value = "";
});
part("connect").addEventListener("click", () => {
  line.tries = line.silence = 0;
  line.connect();
});
addEventListener("online", () => { if (line.state === "away") line.connect(); });
addEventListener("pagehide", () => line.leave());
addEventListener("pageshow", (event) => { if (event.persisted) line.connect(); });
addEventListener("hashchange", () => location.reload());

if (!here.socket) veil("nowhere", "", false);
else if (here.wait) line.become("waiting");
else line.connect();
