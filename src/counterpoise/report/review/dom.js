// Elements made without markup: foreign text is only ever the text of a node or the value of a harmless attribute.

const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);

/** An element with attributes (true: an empty one) and children (nodes or texts); what is false or undefined is left out. */
function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (there(value)) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(there));
  return node;
}

const there = (value) => value !== undefined && value !== false;

function button(label, attributes, act) {
  const node = el("button", { type: "button", ...attributes }, label);
  node.addEventListener("click", act);
  return node;
}

const count = (value) => value.toLocaleString("en");
const signed = (value) => `${value < 0 ? "−" : "+"}${count(Math.abs(Math.round(value)))}`;
const rate = (value) => (value === undefined ? "–" : value.toFixed(2));

/** A perplexity, or another positive number, to three digits. */
function number(value) {
  if (value === undefined) return "–";
  if (value >= 1e6) return value.toExponential(1);
  return value >= 100 ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}
