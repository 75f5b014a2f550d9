// The page: which texts are shown, in what order, and what keys and buttons do.

const PAGE = 50;

const data = JSON.parse(byId("data").textContent);
data.texts.forEach((text, index) => (text.place = index + 1));
const decisions = new Decisions(data);
const filters = byId("filters");
let found = []; // the texts that match the filter, sorted
let active = 0; // which of them the keys act on
let page = -1; // which page of them is drawn

/** How far a revision went the objective's way: the logarithm of the ratio of perplexities, or its negative. */
function towards(text, { objective }) {
  return text.before > 0 && text.after > 0 ? Math.log(text.after / text.before) * (objective === "min" ? -1 : 1) : undefined;
}

const ORDERS = {
  gain: (text) => towards(text, data),
  helpfulness: (text) => text.helpfulness,
  length: (text) => (text.revised === undefined || !text.original ? undefined : text.revised.length / text.original.length),
};

function words(text) {
  const { name, question, revised_question, original, revised, keywords = [], reason } = text;
  text.words ??= [name, question, revised_question, original, revised, ...keywords, reason].join("\n").toLowerCase();
  return text.words;
}

function matches(text, wanted) {
  const within = (value, least, most) =>
    (!least && !most) || (value !== undefined && !(least && value < Number(least)) && !(most && value > Number(most)));
  return (
    wanted.words.toLowerCase().split(/\s+/).every((word) => words(text).includes(word)) &&
    (!wanted.status || text.status === wanted.status) &&
    (!wanted.keyword || (text.keywords ?? []).includes(wanted.keyword)) &&
    (!wanted.decision || decisionName(text) === wanted.decision) &&
    within(text.after, wanted.least_after, wanted.most_after) &&
    within(text.helpfulness, wanted.least_helpfulness, wanted.most_helpfulness)
  );
}

/** The decision of a text that has a revision, "none" while it is open. */
function decisionName(text) {
  return text.revised === undefined ? "" : (decisions.get(text.id) ?? "none");
}

/** Apply filter and order, and begin at the first text. */
function find() {
  const wanted = Object.fromEntries(new FormData(filters));
  found = data.texts.filter((text) => matches(text, wanted));
  const order = ORDERS[wanted.sort];
  if (order) {
    // The greatest first; a text without the value is last either way.
    const keys = new Map(found.map((text) => [text, order(text)]));
    const sign = wanted.reverse ? 1 : -1;
    const [having, lacking] = [true, false].map((has) => found.filter((text) => (keys.get(text) !== undefined) === has));
    found = [...having.sort((a, b) => sign * (keys.get(a) - keys.get(b))), ...lacking];
  } else if (wanted.reverse) {
    found.reverse();
  }
  const all = count(data.texts.length);
  byId("found").textContent = !data.texts.length
    ? "The run has no rows yet."
    : found.length === data.texts.length
      ? `All ${all} texts`
      : `${count(found.length)} of ${all} texts`;
  page = -1;
  activate(0);
}

/** Make a text the active one, drawing its page if it is another. */
function activate(index) {
  active = Math.max(0, Math.min(index, found.length - 1));
  const wanted = Math.floor(active / PAGE);
  if (wanted !== page) draw(wanted);
  byId("cards").querySelector(".active")?.classList.remove("active");
  card(active)?.classList.add("active");
}

function draw(wanted) {
  page = wanted;
  const begin = page * PAGE;
  const cards = found.slice(begin, begin + PAGE).map((text, index) => {
    const node = cardOf(text, data, choose);
    node.setAttribute("aria-posinset", begin + index + 1);
    node.setAttribute("aria-setsize", found.length);
    node.addEventListener("focusin", () => activate(begin + index));
    node.addEventListener("pointerdown", () => activate(begin + index));
    paint(node, decisions.get(text.id));
    return node;
  });
  byId("cards").replaceChildren(...cards);
  const pages = Math.ceil(found.length / PAGE);
  document.querySelector(".pager").hidden = pages < 2;
  byId("page").textContent = `Page ${page + 1} of ${pages}`;
  byId("before").disabled = page === 0;
  byId("after").disabled = page >= pages - 1;
}

function card(index) {
  return byId("cards").children[index - page * PAGE];
}

/** Go to a text: active, in focus, in view. */
function go(index) {
  activate(index);
  card(active)?.focus({ preventScroll: true });
  card(active)?.scrollIntoView({ block: "start" });
}

/** Show the decisions wherever they are shown. */
function show() {
  const [accepted, rejected, of] = [decisions.tally("accept"), decisions.tally("reject"), decisions.ids.size];
  const open = of - accepted - rejected;
  const said = `${count(accepted)} accepted, ${count(rejected)} rejected, ${count(open)} undecided`;
  byId("tally").textContent = said;
  byId("progress").setAttribute("aria-label", `Progress: ${said}`);
  for (const [name, value] of Object.entries({ accepted, rejected })) {
    byId("progress").querySelector(`.${name}`).style.width = `${of ? (100 * value) / of : 0}%`;
  }
  byId("save").classList.toggle("unsaved", decisions.unsaved);
  [...byId("cards").children].forEach((node, index) => paint(node, decisions.get(found[page * PAGE + index].id)));
  if (!decisions.kept) say("This browser does not keep decisions: save them before you leave.");
}

function say(message) {
  byId("said").textContent = message;
}

/** Decide about a text; the decision that it has already is taken back. */
function choose(text, decision) {
  const again = decisions.get(text.id) === decision;
  decisions.change([[text.id, again ? undefined : decision]]);
  say(`${text.name.slice(0, 60)}: ${again ? "undecided" : `${decision}ed`}`);
  show();
}

/** Decide about the active text and go on. */
function decide(decision) {
  const text = found[active];
  if (!text) return;
  if (text.revised === undefined) return say(`${text.name.slice(0, 60)} has no revision to decide about.`);
  if (decisions.get(text.id) !== decision) choose(text, decision);
  go(active + 1);
}

function undo() {
  const id = decisions.undo();
  say(id === undefined ? "Nothing to undo." : "Took the last decision back.");
  show();
  const index = found.findIndex((text) => text.id === id);
  if (index >= 0) go(index);
}

function save() {
  const url = URL.createObjectURL(new Blob([decisions.file()], { type: "application/json" }));
  el("a", { href: url, download: "decisions.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  decisions.unsaved = false;
  say("Saved decisions.json.");
  show();
}

async function load() {
  const [file] = byId("file").files;
  if (!file) return;
  try {
    say(decisions.load(await file.text()));
  } catch (error) {
    say(`The file was not loaded: ${error.message}.`);
  }
  byId("file").value = ""; // so that the same file can be chosen again
  show();
}

const KEYS = {
  j: () => go(active + 1),
  ArrowDown: () => go(active + 1),
  k: () => go(active - 1),
  ArrowUp: () => go(active - 1),
  a: () => decide("accept"),
  r: () => decide("reject"),
  u: undo,
  "/": () => {
    filters.elements.words.focus();
    filters.elements.words.select();
  },
  "?": () => byId("keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("keys").open) return;
  if (event.target.closest("input, select")) {
    if (event.key !== "Escape" && !(event.key === "Enter" && event.target.matches("input"))) return;
    event.preventDefault(); // Escape would clear the field
    settle();
    go(active);
    return;
  }
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

let waiting = 0;

/** Apply the filter now if that is waiting for more to be typed. */
function settle() {
  if (!waiting) return;
  clearTimeout(waiting);
  waiting = 0;
  find();
}

filters.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(settle, 120);
});
filters.addEventListener("reset", () => setTimeout(find)); // after the fields are reset
byId("undo").addEventListener("click", undo);
byId("save").addEventListener("click", save);
byId("load").addEventListener("click", () => byId("file").click());
byId("file").addEventListener("change", load);
byId("help").addEventListener("click", KEYS["?"]);
byId("before").addEventListener("click", () => go((page - 1) * PAGE));
byId("after").addEventListener("click", () => go((page + 1) * PAGE));
// Another tab with the same page: what was decided there last holds here too.
addEventListener("storage", (event) => {
  if (event.key === decisions.key) decisions.restore();
  show();
});
// What is gone to stays clear of the bar, however high its lines make it.
new ResizeObserver(() => {
  document.documentElement.style.scrollPaddingTop = `${document.querySelector(".bar").offsetHeight + 12}px`;
}).observe(document.querySelector(".bar"));

document.querySelector("main").hidden = false;
find();
show();
