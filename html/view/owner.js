// @ts-check
/** What only the owner of the machine can do: extend and stop it. The server says who that is. */

import { ask, tell } from "../ask.js";
import { show } from "../elements.js";
import { duration } from "../words.js";
import { lay, SHORT } from "./tidings.js";

export class Owner {
  /** @param {string} session its id, empty for a machine started by hand */
  constructor(session) {
    this.session = session;
    this.facts = /** @type {any} */ (null);
  }

  /** Ask the server whether this browser is the owner's, and offer what owners can do. */
  async look() {
    if (!this.session) return;
    const answer = await ask(`monitor?session=${this.session}`);
    this.facts = answer?.ok ? await answer.json() : null;
    show("extend", Boolean(this.facts?.extension?.seconds));
    show("open-stop", Boolean(this.facts));
  }

  /** @returns {(() => void)|undefined} what puts off the end, if that can be had */
  get extending() {
    return this.facts?.extension?.seconds ? () => { this.extend(); } : undefined;
  }

  async extend() {
    const facts = await this.act("extend");
    if (facts) lay("done", { text: `${duration(facts.seconds)} more.` }, {}, SHORT);
    await this.look();
  }

  async stop() {
    await this.act("stop");
  }

  /** @param {string} action @returns {Promise<any>} what came of it, null when it was refused */
  async act(action) {
    await this.look(); // for a ticket that is good now
    const ticket = this.facts?.tickets?.[action] ?? "";
    const answer = await tell({ action, session: this.session, ticket });
    if (answer?.ok) return answer.facts;
    const facts = answer?.facts;
    const why = facts?.message ? `${facts.message} ${facts.hint}` : "The server does not answer.";
    lay("refused", { from: "Not done:", text: why });
    return null;
  }
}
