// @ts-check
/**
 * The line to the machine: noVNC's RFB on a websocket of ours, made anew when it drops.
 *
 * Beside the binary frames of RFB the keeper sends text frames on the same websocket, to pages
 * that ask for them (subprotocol `remote-desktop`): JSON about the machine, once the token is
 * seen. So whoever sees the screen knows how long it lasts, signed in or not.
 */

import { ask, tell } from "../ask.js";

/**
 * @typedef {"waiting"|"connecting"|"asking"|"connected"|"lost"|"starting"|"away"|"elsewhere"
 *   |"over"|"parked"|"stuck"} State
 * @typedef {object} Hears
 * @property {(state: State, words?: string) => void} state
 * @property {(news: any) => void} news
 * @property {(rfb: any) => void} opened a new RFB object, not yet connected
 */

const OVER = 4000; // close codes of the keeper (RFC 6455, 7.4.2)
const ELSEWHERE = 4001;
const PAUSES = [300, 1000, 2000, 3000]; // milliseconds before each try, then the last again
// Tries without an answer, until a machine is said to be over. Keepers that were killed are
// replaced within a minute; a machine that was never seen here has probably ended long ago.
const SILENT = 25;
const NEVER_SEEN = 4;
const SAID = 2; // and when the server says to its owner that there is none

const WAKING = "It was parked while nobody looked, and is being woken …";
const QUICK = 500; // milliseconds: what takes longer to answer is being woken

export class Line {
  /**
   * @param {HTMLElement} room where the screen goes
   * @param {import("./address.js").Address} address
   * @param {Hears} hears
   */
  constructor(room, address, hears) {
    this.room = room;
    this.address = address;
    this.hears = hears;
    this.token = address.token;
    this.rfb = /** @type {any} */ (null);
    this.state = /** @type {State} */ ("waiting");
    this.tries = 0;
    this.silence = 0;
    this.met = false; // whether it was seen here
    this.mine = false; // whether this browser is its owner's
    this.timer = 0;
    this.turn = 0; // an answer that comes after the person tried again is of no interest
  }

  /** @param {State} state @param {string} [words] */
  become(state, words) {
    this.state = state;
    this.hears.state(state, words);
  }

  /** Connect now, whatever was before. */
  async connect() {
    window.clearTimeout(this.timer);
    this.turn += 1;
    this.rfb = null;
    if (this.tries === 0) this.become("connecting");
    /** @type {any} */
    let module;
    try {
      module = await import("../novnc/core/rfb.js");
    } catch {
      this.become("away", "noVNC cannot be loaded.");
      this.later();
      return;
    }
    this.room.replaceChildren();
    const socket = new WebSocket(this.address.socket, ["binary", "remote-desktop"]);
    this.listen(socket);
    const rfb = new module.default(this.room, socket, {
      shared: true, credentials: this.token ? { password: this.token } : {},
    });
    this.rfb = rfb;
    let refused = "";
    rfb.addEventListener("connect", () => {
      this.tries = this.silence = 0;
      this.met = true;
      this.become("connected");
    });
    rfb.addEventListener("credentialsrequired", () => this.become("asking"));
    rfb.addEventListener("securityfailure", (/** @type {CustomEvent} */ event) => {
      refused = event.detail.reason || "The token is not right.";
    });
    rfb.addEventListener("disconnect", () => {
      if (rfb !== this.rfb) return;
      this.rfb = null;
      this.ended(refused);
    });
    this.hears.opened(rfb);
  }

  /**
   * Take what is not RFB from a websocket: news, and why it was closed.
   * @param {WebSocket} socket
   */
  listen(socket) {
    this.closed = { code: 0, reason: "" };
    socket.addEventListener("close", (event) => { this.closed = event; });
    Object.defineProperty(socket, "onmessage", {
      set: (hear) => socket.addEventListener("message", (event) => {
        if (typeof event.data === "string") this.hears.news(JSON.parse(event.data));
        else hear.call(socket, event);
      }),
    });
  }

  /** Give the token that the person typed. @param {string} token */
  answer(token) {
    this.token = token;
    this.become("connecting");
    if (this.rfb) this.rfb.sendCredentials({ password: token });
    else this.connect();
  }

  /** Decide what comes after a connection. @param {string} refused */
  ended(refused) {
    const { code, reason } = this.closed ?? { code: 0, reason: "" };
    if (code === OVER) this.become("over", reason);
    else if (code === ELSEWHERE) this.become("elsewhere");
    else if (refused) {
      this.token = "";
      this.become("asking", refused);
    } else if (this.state !== "asking") this.find();
  }

  /** Find out why there is no connection, and try again unless it is over. */
  async find() {
    const turn = this.turn;
    const [state, words] = await this.whereabouts();
    if (turn !== this.turn) return;
    this.become(state, words);
    if (!["over", "asking", "parked", "stuck"].includes(state)) this.later();
  }

  /**
   * Have a machine go on that was parked while nobody looked.
   * @returns {Promise<[State, string?]|null>} null when it is not parked
   */
  async wake() {
    const { session } = this.address;
    const turn = this.turn;
    const slow = window.setTimeout(() => {
      if (turn === this.turn) this.become("starting", WAKING);
    }, QUICK);
    const answer = await tell({ action: "wake", session, token: this.token });
    window.clearTimeout(slow);
    if (!answer || answer.status === 404) return null;
    if (answer.ok) {
      this.tries = 0;
      return answer.facts?.woken ? ["starting", WAKING] : null;
    }
    const why = `${answer.facts?.message ?? ""} ${answer.facts?.hint ?? ""}`.trim();
    if (answer.status !== 403) return [answer.status === 409 ? "stuck" : "parked", why];
    const typed = Boolean(this.token);
    this.token = "";
    return ["asking", typed ? "The token is not right." : why];
  }

  /** Hang up: browsers keep pages that were left, and whoever left does not look on. */
  leave() {
    window.clearTimeout(this.timer);
    this.turn += 1;
    const rfb = this.rfb;
    this.rfb = null;
    rfb?.disconnect();
  }

  later() {
    window.clearTimeout(this.timer);
    const pause = PAUSES[Math.min(this.tries, PAUSES.length - 1)];
    this.tries += 1;
    this.timer = window.setTimeout(() => this.connect(), pause);
  }

  /**
   * Ask the server about the machine: its owner is told how it is, others whether somebody is
   * there at all. A keeper that was killed leaves nobody there until the next one takes over.
   * @returns {Promise<[State, string?]>}
   */
  async whereabouts() {
    const { session, socket } = this.address;
    const there = await ask(socket.replace(/^ws/, "http"));
    if (!there) {
      this.silence += session ? 0 : 1;
      return this.silence < SILENT ? ["away"] : ["over", ""];
    }
    const nobody = Boolean(session) && [502, 503, 504].includes(there.status);
    this.silence = nobody ? this.silence + 1 : 0;
    if (nobody) {
      const woken = await this.wake();
      if (woken) return woken;
    }
    const mine = session ? await ask(`monitor?session=${session}`) : null;
    if (mine?.ok) {
      const facts = await mine.json().catch(() => ({}));
      if (["claimed", "starting"].includes(facts.state)) return ["starting"];
      if (nobody) await ask("monitor"); // brings back a keeper that was killed
      return ["lost"];
    }
    const none = mine?.status === 404 && (this.mine || !this.met);
    const patience = none ? SAID : this.met ? SILENT : NEVER_SEEN;
    if (this.silence >= patience) return ["over", ""];
    return this.met ? ["lost"] : ["connecting", "It does not answer yet. Trying again …"];
  }
}
