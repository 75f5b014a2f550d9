// The card of a text. All that is on it comes from the text's own record.

// A text with more characters is folded, so that one card does not bury the next.
const LONG = 2500;

function cardOf(text, data, decide) {
  const title = `title-${text.place}`;
  const revised = text.revised !== undefined;
  const choice = (decision, label) =>
    button(label, { class: decision, "data-decision": decision, "aria-pressed": "false" }, () => decide(text, decision));
  return el(
    "article",
    { class: "card", tabindex: "-1", "aria-labelledby": title },
    el(
      "header",
      {},
      el("h2", { id: title }, el("span", { class: "place" }, count(text.place)), " ", el("bdi", {}, text.name)),
      text.status !== "ok" && el("span", { class: "badge warn" }, data.statuses[text.status] ?? "unknown status"),
      text.generated && el("span", { class: "badge" }, "question generated"),
      revised && el("div", { class: "choice" }, choice("accept", "Accept"), choice("reject", "Reject")),
    ),
    ...(revised ? revision(text, data) : original(text)),
    provenance(text),
  );
}

/** Show on a card what was decided about its text. */
function paint(card, decision) {
  card.dataset.decision = decision ?? "";
  for (const choice of card.querySelectorAll("[data-decision]")) {
    choice.setAttribute("aria-pressed", String(choice.dataset.decision === decision));
  }
}

function original(text) {
  return [
    el("p", { class: "reason", dir: "auto" }, `No revision: ${text.reason ?? "no reason given"}`),
    prose("question", text.question, []),
    side("Original", prose("answer", text.original, [])),
    text.before !== undefined && el("p", { class: "note" }, `Perplexity of the original ${number(text.before)}`),
  ];
}

function revision(text, data) {
  const { question, original = "", revised } = text;
  const asked = text.revised_question;
  const answers = wordDiff(original, revised);
  const questions = wordDiff(question ?? "", asked ?? question ?? "");
  const growth = original && ` (${signed(100 * (revised.length / original.length - 1))} %)`;
  return [
    asked === undefined && prose("question", question, []),
    el(
      "div",
      { class: "sides" },
      side(
        `Original, ${count(original.length)} characters`,
        asked !== undefined && prose("question", question, questions.removed, "del"),
        prose("answer", original, answers.removed, "del"),
      ),
      side(
        `Revised, ${count(revised.length)} characters${growth}`,
        asked !== undefined && prose("question", asked, questions.added, "ins", text.question_marks),
        prose("answer", revised, answers.added, "ins", text.marks),
      ),
    ),
    answers.coarse && el("p", { class: "note" }, "Too different for a diff of words: all between the common ends is marked."),
    text.keywords && keywords(text.keywords, text.missing ?? []),
    el("div", { class: "measures" }, perplexity(text, data), helpfulness(text, data), criteria(text.criteria ?? {})),
  ];
}

function side(title, ...passages) {
  return el("section", { class: "side" }, el("h3", {}, title), ...passages);
}

/** A text with its changed spans in `tag` elements and its keywords marked; a long one can be unfolded. */
function prose(kind, text = "", spans, tag, marks = []) {
  const nodes = [];
  let at = 0;
  for (const [begin, end] of spans) {
    nodes.push(...marked(text, at, begin, marks), el(tag, {}, ...marked(text, begin, end, marks)));
    at = end;
  }
  nodes.push(...marked(text, at, text.length, marks));
  const passage = el("p", { class: kind, dir: "auto" }, ...(text ? nodes : [el("em", {}, "empty")]));
  return text.length > LONG ? folded(passage, text.length) : passage;
}

function marked(text, begin, end, marks) {
  const nodes = [];
  for (const [from, to] of marks) {
    const [first, last] = [Math.max(from, begin), Math.min(to, end)];
    if (first >= last) continue;
    nodes.push(text.slice(begin, first), el("mark", {}, text.slice(first, last)));
    begin = last;
  }
  return [...nodes, text.slice(begin, end)];
}

function folded(passage, length) {
  const labels = { false: `Show all ${count(length)} characters`, true: "Show less" };
  passage.classList.add("folded");
  const more = button(labels.false, { class: "more", "aria-expanded": "false" }, () => {
    const open = !passage.classList.toggle("folded");
    more.setAttribute("aria-expanded", String(open));
    more.textContent = labels[open];
  });
  return el("div", {}, passage, more);
}

function keywords(words, missing) {
  const chip = (word) =>
    missing.includes(word)
      ? el("li", { class: "missing" }, el("bdi", {}, word), " (not in the text)")
      : el("li", {}, el("bdi", {}, word));
  return el("ul", { class: "keywords", "aria-label": "Keywords" }, ...words.map(chip));
}

function perplexity(text, data) {
  const { before, after } = text;
  const rounds = (text.rounds ?? []).map((round) => [round.round, round.perplexity]);
  const wanted = data.objective === "random" ? "" : towards(text, data) > 0 ? "good" : "bad";
  return measure(
    "Perplexity",
    [number(before), " → ", el("strong", {}, number(after))],
    before && after && el("span", { class: `change ${wanted}` }, `×${number(after / before)}`),
    line("Perplexity", [[0, before], ...rounds], { show: number, note: (round) => (round ? `round ${round}` : "original") }),
  );
}

function helpfulness(text, data) {
  const rounds = (text.rounds ?? []).map((round) => [round.round, round.helpfulness]);
  return measure(
    "Helpfulness",
    [el("strong", {}, rate(text.helpfulness))],
    false,
    line("Helpfulness", rounds, { show: rate, note: (round) => `round ${round}`, range: [0, 1], floor: data.floor }),
  );
}

function measure(name, value, change, drawing) {
  return el("div", { class: "measure" }, el("h3", {}, name, " ", change), el("p", { class: "value" }, ...value), drawing);
}

function criteria(values) {
  const bar = ([name, value]) =>
    el(
      "div",
      {},
      el("dt", {}, name.replaceAll("_", " ")),
      el("dd", {}, el("meter", { min: 0, max: 1, value }, ""), rate(value)),
    );
  return Object.keys(values).length > 0 && el("dl", { class: "criteria" }, ...Object.entries(values).map(bar));
}

/** A line over the rounds: points [round, value]; rounds without a value are left out, fewer than two draw nothing. */
function line(name, points, { show, note, range, floor }) {
  const known = points.filter(([, value]) => value !== undefined);
  if (known.length < 2) return false;
  const [wide, high, edge] = [168, 40, 5];
  const [low, top] = range ?? [Math.min(...known.map(([, y]) => y)), Math.max(...known.map(([, y]) => y))];
  const [first, last] = [points[0][0], points.at(-1)[0]];
  const x = (round) => edge + ((round - first) / (last - first || 1)) * (wide - 2 * edge);
  const y = (value) => high - edge - ((value - low) / (top - low || 1)) * (high - 2 * edge);
  const said = known.map(([round, value]) => `${note(round)}: ${show(value)}`);
  return svg(
    "svg",
    { class: "line", viewBox: `0 0 ${wide} ${high}`, width: wide, height: high, role: "img", "aria-label": `${name}, ${said.join(", ")}` },
    typeof floor === "number" && svg("path", { class: "floor", d: `M0 ${y(floor)}H${wide}` }),
    svg("polyline", { points: known.map(([round, value]) => `${x(round)},${y(value)}`).join(" ") }),
    ...known.map(([round, value], index) =>
      svg("circle", { cx: x(round), cy: y(value), r: index === known.length - 1 ? 3.5 : 2.5 }, svg("title", {}, said[index])),
    ),
  );
}

function provenance(text) {
  const { lineage = [], rounds = [] } = text;
  if (!lineage.length && !rounds.length) return false;
  const steps = lineage.map((step) => [
    step.round, step.id, (step.keywords ?? []).join(", "), step.temperature, step.top_p, step.seed,
    number(step.perplexity), rate(step.helpfulness),
  ]);
  const tries = rounds.map((round) => [
    round.round, round.candidates, round.judged,
    passedOver(round),
    number(round.perplexity), rate(round.helpfulness),
  ]);
  return el(
    "details",
    {},
    el("summary", {}, steps.length > 0 ? "Lineage and rounds" : "Rounds"),
    steps.length > 0 &&
      table("Revisions, from the first to the kept one", steps, [
        "Round", "Candidate", "Keywords", "Temperature", "Top-p", "Seed", "Perplexity", "Helpfulness",
      ]),
    tries.length > 0 &&
      table("Rounds, with the best candidate kept so far", tries, [
        "Round", "Candidates", "Judged", "Passed over", "Perplexity", "Helpfulness",
      ]),
  );
}

/** Candidates by the gate that rejected them, and those that resemble one that was kept. */
function passedOver({ rejected = {}, similar }) {
  const counts = [...Object.entries(rejected), ...(similar ? [["too similar", similar]] : [])];
  return counts.map(([gate, times]) => `${gate.replaceAll("_", " ")} ${times}`).join(", ");
}

function table(caption, rows, heads) {
  const cell = (value) => el("td", {}, el("bdi", {}, String(value ?? "–")));
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el(
      "table",
      {},
      el("caption", {}, caption),
      el("thead", {}, el("tr", {}, ...heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, ...row.map(cell)))),
    ),
  );
}
