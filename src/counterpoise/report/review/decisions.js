// What was decided, by text id: kept in this browser as well as it allows, saved to a file and read back from one.

const VALUES = ["accept", "reject"];

class Decisions {
  #made = new Map();
  #past = [];

  /** Takes up what this browser kept about the run. */
  constructor({ format, run, texts }) {
    this.format = format;
    this.run = run;
    this.ids = new Set(texts.filter((text) => text.revised !== undefined).map((text) => text.id));
    this.unsaved = false;
    this.kept = true;
    this.key = `${format} ${run}`;
    this.restore();
  }

  restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key) ?? "{}");
      this.#made = new Map(Object.entries(kept).filter(([id, value]) => this.ids.has(id) && VALUES.includes(value)));
    } catch {
      this.kept = false;
    }
  }

  get(id) {
    return this.#made.get(id);
  }

  tally(value) {
    return [...this.#made.values()].filter((one) => one === value).length;
  }

  /** Decide [id, value] pairs in one step, which one `undo` takes back; a value of undefined undecides. */
  change(pairs) {
    this.#past.push(pairs.map(([id]) => [id, this.get(id)]));
    this.#apply(pairs);
  }

  /** Take the last step back; the id of its first text, or undefined when there is none. */
  undo() {
    const step = this.#past.pop();
    if (step) this.#apply(step);
    return step?.[0]?.[0];
  }

  #apply(pairs) {
    for (const [id, value] of pairs) {
      if (value) this.#made.set(id, value);
      else this.#made.delete(id);
    }
    this.unsaved = true;
    try {
      localStorage.setItem(this.key, JSON.stringify(this.#object()));
      this.kept = true;
    } catch {
      this.kept = false;
    }
  }

  /** In the order of the run, so that equal decisions are equal files. */
  #object() {
    return Object.fromEntries([...this.ids].filter((id) => this.#made.has(id)).map((id) => [id, this.get(id)]));
  }

  file() {
    return `${JSON.stringify({ format: this.format, run: this.run, decisions: this.#object() }, null, 1)}\n`;
  }

  /** Add the decisions of a file, which win over those made here. Returns what to say; throws what is wrong with it. */
  load(content) {
    const pairs = Object.entries(this.#checked(content));
    const known = pairs.filter(([id]) => this.ids.has(id));
    const unknown = pairs.filter(([id]) => !this.ids.has(id)).map(([id]) => shown(id));
    if (known.length) this.change(known);
    const ignored = unknown.length ? `; ignored, of no revised text here: ${listed(unknown)}` : "";
    return `Loaded ${count(known.length)} ${known.length === 1 ? "decision" : "decisions"}${ignored}.`;
  }

  #checked(content) {
    const object = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
    let file;
    try {
      file = JSON.parse(content);
    } catch {
      throw new Error("it is not JSON");
    }
    if (!object(file) || file.format !== this.format) throw new Error(`it is not of the format ${this.format}`);
    if (file.run !== this.run) throw new Error(`it is about the run ${shown(String(file.run))}, this page about ${this.run}`);
    if (!object(file.decisions)) throw new Error("it has no decisions");
    const bad = Object.entries(file.decisions).filter(([, value]) => !VALUES.includes(value)).map(([id]) => shown(id));
    if (bad.length) throw new Error(`neither accepted nor rejected: ${listed(bad)}`);
    return file.decisions;
  }
}

/** A stranger's text for a message: short, invisible characters written out. */
function shown(text) {
  const hex = (char) => char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  return text.slice(0, 60).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (char) => `⟨U+${hex(char)}⟩`);
}

function listed(names) {
  return names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${count(names.length - 3)} more` : "");
}
