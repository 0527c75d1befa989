// @ts-check
/** Shows in the form what `GET create` says: who is there, what can be had, or why it cannot. */

import { fill, numbers } from "./choices.js";
import { copy, part, say, show, usual } from "./elements.js";
import { duration, memory } from "./words.js";

/**
 * @typedef {import("./choices.js").Choices} Choices
 * @typedef {{default: number, max?: number|null, step?: number}} Limits   of memory: MB
 * @typedef {{cpu: number, memory: number, video: string}} Size   memory: MB
 * @typedef {{name: string, title: string, description: string, icon: string, problem: string,
 *            cpu: Limits, memory: Limits, video: string, instant?: Size[]}} Machine
 * @typedef {{offered: boolean, reason: string}} Offer
 * @typedef {{service: {version: string, open: boolean, notices: string[]},
 *            person: {name: string|null, admin: boolean, sign_out: string|null},
 *            enter: {user: boolean, password: boolean, email: boolean},
 *            words: {user: string, password: string, help: string},
 *            tickets: Record<string, string>,
 *            machines: Machine[], default_machine: string, video: string[],
 *            free: {sessions: number|null, cpu: number|null, memory: number|null, reason: string},
 *            persistent: Offer, gpu: Offer, lifetime: {default: number, max: number},
 *            mine: {session: string, name: string, machine: string, state: string,
 *                   expires: string}[]}} Facts
 */

const HOUR = 3600;
const LIFETIMES = [0.5, 1, 2, 4, 8, 12, 24, 48, 96, 168, 336, 720].map((hours) => hours * HOUR);

/** @param {Facts} facts @returns {Machine|undefined} the machine whose card is chosen */
export function chosen(facts) {
  const input = /** @type {HTMLInputElement|null} */
    (document.querySelector("input[name=machine]:checked"));
  return facts.machines.find((machine) => machine.name === input?.value);
}

/**
 * The fields for who one is, as the methods that are on need them.
 * @param {Facts} facts
 */
export function showEntrance({ person, enter, words }) {
  for (const name of /** @type {const} */ (["user", "password"])) {
    const input = part(name);
    if (!input) continue;
    input.disabled = !enter[name];
    input.required = enter[name] && (name === "user" || !enter.email);
    input.closest(".field")?.toggleAttribute("hidden", !enter[name]);
    if (!enter[name]) input.value = "";
    say(`${name}-label`, words[name]);
  }
  if (enter.user && !enter.password) part("user")?.setAttribute("type", "email");
  say("help", words.help);
  show("help", Boolean(words.help));
  show("enter", !person.name && (enter.user || Boolean(words.help)));
}

/**
 * What shows that a form is ours; see lib/desktop/web/ticket.py.
 * @param {Facts} facts
 */
export function showTickets({ tickets }) {
  for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (
    document.querySelectorAll("input[data-ticket]"))) {
    input.value = tickets[input.dataset.ticket ?? ""] ?? "";
    input.disabled = !input.value;
  }
}

/** @param {Facts} facts */
export function showPeople({ person, mine, service, machines }) {
  show("signed-in", Boolean(person.name) && !service.open);
  say("person", person.name ?? "");
  show("sign-out", person.sign_out === null);
  show("sign-out-elsewhere", Boolean(person.sign_out));
  part("sign-out-elsewhere")?.setAttribute("href", person.sign_out ?? "");
  say("version", `remote-desktop ${service.version}`);
  part("notices")?.replaceChildren(...service.notices.map((text) => {
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.textContent = text;
    return notice;
  }));
  part("mine")?.replaceChildren(...mine.map((session) => {
    const title = machines.find(({ name }) => name === session.machine)?.title ?? session.machine;
    const entry = copy("running", { title, state: until(session), link: "Open" });
    const link = entry?.querySelector("a");
    link?.setAttribute("href", `monitor?session=${session.session}`);
    link?.setAttribute("aria-label", `Open ${title}`);
    return entry ?? "";
  }));
  show("mine", mine.length > 0);
}

/** @param {Facts["mine"][0]} session */
function until({ state, expires }) {
  const left = (Date.parse(expires) - Date.now()) / 1000;
  return left > 0 ? `${state}, ${duration(left)} left` : state;
}

/**
 * One card per machine; those that cannot be had are there, disabled, with the reason.
 * @param {Facts} facts @param {Choices} choices
 */
export function showMachines(facts, choices) {
  const cards = part("cards");
  if (!cards) return;
  const able = facts.machines.filter((machine) => !machine.problem).map(({ name }) => name);
  const wish = [choices.machine, facts.default_machine, able[0]]
    .find((name) => name !== undefined && able.includes(name));
  cards.replaceChildren(...facts.machines.map((machine) => card(machine, machine.name === wish)),
                        facts.person.admin && part("admin")?.content.cloneNode(true) || "");
  if (!cards.children.length) cards.textContent = "No machine is on offer.";
}

/** @param {Machine} machine @param {boolean} checked @returns {Node|string} */
function card({ name, title, description, icon, problem }, checked) {
  const element = copy("card", { title, description, problem });
  const input = element?.querySelector("input");
  const image = element?.querySelector("img");
  if (input) Object.assign(input, { value: name, disabled: Boolean(problem), checked });
  if (image) {
    const address = (/** @type {string} */ file) => `icons/${encodeURIComponent(file)}`;
    image.addEventListener("error", () => { image.src = address("screen.svg"); }, { once: true });
    image.src = address(icon.includes(".") ? icon : `${icon || "screen"}.svg`);
  }
  return element ?? "";
}

/**
 * The sizes of the chosen machine; what is not free now is there and cannot be chosen.
 * @param {Facts} facts @param {Choices} choices
 */
export function showSizes(facts, choices) {
  const machine = chosen(facts);
  if (!machine) return;
  const wish = choices.sizes[machine.name] ?? {};
  const { free } = facts;
  const instant = machine.instant ?? [];
  const few = (/** @type {number} */ n) => n <= 8 || n % (n <= 32 ? 4 : 16) === 0;
  fill("cpu", numbers(machine.cpu, 1, few, instant.map(({ cpu }) => cpu)).map((n) => (
    { value: n, text: String(n), lacking: free.cpu !== null && n > free.cpu })),
       wish.cpu, machine.cpu.default);
  const power = (/** @type {number} */ n) => Number.isInteger(Math.log2(n));
  const rounded = (/** @type {number} */ n) => power(n) || (n > 4096 && power(n / 1.5));
  const least = Math.min(256, machine.memory.default);
  const sizes = instant.map((size) => size.memory);
  fill("memory", numbers(machine.memory, least, rounded, sizes).map((n) => (
    { value: n, text: memory(n), lacking: free.memory !== null && n > free.memory })),
       wish.memory, machine.memory.default);
  const video = machine.video ? [...new Set([machine.video, ...facts.video])] : [];
  fill("video", video.map((name) => ({ value: name, text: name })), wish.video, machine.video);
  show("size", true);
}

/** @param {Facts} facts @param {Choices} choices */
export function showOptions({ lifetime, persistent, gpu }, choices) {
  const most = lifetime.max || Infinity;
  const lengths = [...new Set([...LIFETIMES, lifetime.default, lifetime.max])]
    .filter((seconds) => seconds > 0 && seconds <= most).sort((a, b) => a - b)
    .map((seconds) => ({ value: seconds, text: duration(seconds) }));
  const never = lifetime.max ? [] : [{ value: 0, text: "no limit" }];
  fill("lifetime", [...lengths, ...never], choices.lifetime, lifetime.default);
  showCheck("persistent", persistent, Boolean(choices.persistent));
  showCheck("gpu", gpu, Boolean(choices.gpu));
}

/** @param {string} id @param {Offer} offer @param {boolean} wish */
function showCheck(id, offer, wish) {
  const input = part(id);
  const words = part(`${id}-note`);
  if (input) Object.assign(input, { disabled: !offer.offered, checked: offer.offered && wish });
  if (words) say(words.id, offer.offered ? usual(words) : offer.reason || usual(words));
}

/** @param {Facts["free"]} free */
export function showFree({ sessions, cpu, memory: mb, reason }) {
  const count = (/** @type {number|null} */ n, /** @type {string} */ word) =>
    (n === null ? [] : [`${n} ${word}${n === 1 ? "" : "s"}`]);
  const parts = [...count(sessions, "machine"), ...count(cpu, "processor"),
                 ...mb === null ? [] : [`${memory(mb)} of memory`]];
  const full = sessions === 0;
  say("free", full ? reason || "No machine can be started now."
    : parts.length ? `Free for you now: ${parts.join(", ")}.` : "");
  part("free")?.toggleAttribute("data-full", full);
}
