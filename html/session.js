// @ts-check
/** What moves on the pages of sessions: time left, the screen, copying, local times. */

import { ask, paint, whileVisible } from "./ask.js";
import { duration, ending, local, remark } from "./words.js";

/** Count down to the end, by this page's own clock: the browser's may be wrong. */
function countDown() {
  const element = /** @type {HTMLElement|null} */ (document.querySelector("[data-left]"));
  if (!element) return;
  const end = performance.now() + Number(element.dataset.left) * 1000;
  const notice = /** @type {HTMLElement|null} */ (document.querySelector("[data-ending]"));
  const tick = () => {
    const left = Math.round((end - performance.now()) / 1000);
    if (!element.isConnected) return;
    element.textContent = left > 0 ? duration(left) : "over";
    ending(notice, left);
    element.toggleAttribute("data-soon", notice?.hidden === false);
    if (left > 0) window.setTimeout(tick, 1000);
  };
  tick();
}

/** Show the screen and the state while somebody looks at the page, every three seconds. */
function follow() {
  const view = /** @type {HTMLElement|null} */ (document.querySelector("[data-screen]"));
  if (!view) return;
  const screen = view.dataset.screen ?? "";
  let turn = 0;
  whileVisible(async () => {
    const picture = await ask(screen, "image/png");
    if (picture?.ok) await paint(view, await picture.blob());
    // Without a picture the machine may be young, paused or gone.
    turn += 1;
    const look = !picture?.ok || turn % 5 === 0;
    return look && over(view.dataset.facts ?? screen.replace("screen", "session"));
  }, 3000);
}

/**
 * Show how the machine does, and tell whether it is over.
 * @param {string} address
 * @returns {Promise<boolean>}
 */
async function over(address) {
  const answer = await ask(address);
  if (!answer?.ok && ![401, 403, 404, 410].includes(answer?.status ?? 0)) return false;
  const gone = answer?.status === 404 || answer?.status === 410;
  const { state, reason } = answer?.ok ? await answer.json().catch(() => ({}))
    : { state: gone ? "ended" : "", reason: "" };
  const place = document.querySelector(".heading .state");
  if (state && place) {
    place.className = `state ${state}`;
    place.textContent = state;
    remark(document.querySelector(".heading [data-reason]"), reason);
  }
  if (gone) {
    document.querySelectorAll("[data-live], [data-ending]").forEach((part) => part.remove());
    document.querySelector("[data-over]")?.removeAttribute("hidden");
  }
  return !answer?.ok;
}

/** Have the viewer come back to where this page came from: behind a proxy only we know. */
function stayHere() {
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (
    document.querySelectorAll("a[href*='#host=']"))) {
    const port = location.port || (location.protocol === "https:" ? "443" : "80");
    link.hash = link.hash.replace(/host=[^&]*/, `host=${encodeURIComponent(location.hostname)}`)
      .replace(/port=[^&]*/, `port=${port}`);
  }
}

/** @param {HTMLElement} source @returns {Promise<void>} */
async function copy(source) {
  const text = source.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard interface: select the text and copy it the old way.
    getSelection()?.selectAllChildren(source);
    if (!document.execCommand("copy")) throw new Error("not copied");
  }
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("button[data-copy]"))) {
  const source = document.getElementById(button.dataset.copy ?? "");
  const status = document.querySelector("[data-copied]");
  button.hidden = !source;
  button.addEventListener("click", async () => {
    if (!source) return;
    const said = await copy(source).then(() => "Copied.", () => "Press Ctrl+C to copy.");
    if (status) status.textContent = said;
    button.dataset.done = said;
    window.setTimeout(() => { delete button.dataset.done; }, 3000);
  });
}

local(document.body);
countDown();
follow();
stayHere();
