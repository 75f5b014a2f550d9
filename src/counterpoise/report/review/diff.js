"use strict";

// A word diff: which words of two texts have no partner in the other. Space between words is not compared.

// A character of a script that puts no space between words; else a word; else a single character.
const LONE = "[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}]\\p{M}*";
const WORD = `(?:(?!${LONE})[\\p{L}\\p{N}\\p{M}])+`;
const TOKEN = new RegExp(`${LONE}|${WORD}(?:['’]${WORD})*|\\S`, "gu");
// A path with more changes is not searched for: time and memory grow with the square.
const MOST_CHANGES = 1000;
// So many equal words at most count as changed where twice as much has changed on both sides: confetti is unreadable.
const CONFETTI = 2;

/** Spans [begin, end] of what changed in each of two texts; `coarse` where they differ too much for a search. */
function wordDiff(before, after) {
  const codes = new Map();
  const code = ([word]) => codes.get(word) ?? (codes.set(word, codes.size), codes.size - 1);
  const [a, b] = [before, after].map((text) => [...text.matchAll(TOKEN)]);
  const { pairs, coarse } = partners(a.map(code), b.map(code));
  const blocks = changes(pairs, a, b);
  return { removed: blocks.flatMap(([i, p]) => span(a, i, p)), added: blocks.flatMap(([, , j, q]) => span(b, j, q)), coarse };
}

/** Pairs of positions of equal numbers on a shortest edit path, in order. */
function partners(x, y) {
  const [head, tail] = [[], []];
  let [i, m, n] = [0, x.length, y.length];
  while (i < m && i < n && x[i] === y[i]) head.push([i, i++]);
  while (m > i && n > i && x[m - 1] === y[n - 1]) tail.push([--m, --n]);
  const middle = shortest(x.slice(i, m), y.slice(i, n));
  return { pairs: [...head, ...(middle ?? []).map(([p, q]) => [p + i, q + i]), ...tail.reverse()], coarse: !middle };
}

/** Myers' greedy search (Algorithmica 1, 1986); null when the path has more than MOST_CHANGES changes. */
function shortest(x, y) {
  const most = Math.min(x.length + y.length, MOST_CHANGES);
  const zero = most + 1; // where diagonal 0 is
  const reach = new Int32Array(2 * zero + 1); // the furthest position of x on every diagonal
  const history = [];
  for (let d = 0; d <= most; d++) {
    for (let k = -d; k <= d; k += 2) {
      const from = came(reach, zero, k, d);
      let i = reach[zero + from] + (from < k ? 1 : 0);
      while (i < x.length && i - k < y.length && x[i] === y[i - k]) i++;
      reach[zero + k] = i;
      if (i >= x.length && i - k >= y.length) return retraced(history, x.length, y.length);
    }
    history.push(reach.slice(zero - d - 1, zero + d + 2)); // diagonal 0 is at d + 1
  }
  return null;
}

/** The diagonal from which the path to diagonal k came with its d-th change: above by an insertion, else below. */
function came(reach, zero, k, d) {
  return k === -d || (k !== d && reach[zero + k - 1] < reach[zero + k + 1]) ? k + 1 : k - 1;
}

function retraced(history, i, j) {
  const pairs = [];
  for (let d = history.length; d > 0; d--) {
    const k = came(history[d - 1], d, i - j, d);
    const from = history[d - 1][d + k];
    while (i > from && j > from - k) pairs.push([--i, --j]);
    [i, j] = [from, from - k];
  }
  while (i > 0) pairs.push([--i, --j]);
  return pairs.reverse();
}

/** What lies between the pairs, as blocks [a begin, a end, b begin, b end] of words, with confetti joined. */
function changes(pairs, a, b) {
  const blocks = [];
  const size = ([i, p, j, q]) => Math.max(width(a, i, p), width(b, j, q));
  let [i, j] = [0, 0];
  for (const [p, q] of [...pairs, [a.length, b.length]]) {
    if (p > i || q > j) {
      const [block, last] = [[i, p, j, q], blocks.at(-1)];
      if (last && i - last[1] <= CONFETTI && 2 * width(a, last[1], i) <= Math.min(size(last), size(block))) {
        [last[1], last[3]] = [p, q];
      } else {
        blocks.push(block);
      }
    }
    [i, j] = [p + 1, q + 1];
  }
  return blocks;
}

function span(tokens, begin, end) {
  return end > begin ? [[tokens[begin].index, tokens[end - 1].index + tokens[end - 1][0].length]] : [];
}

function width(tokens, begin, end) {
  return span(tokens, begin, end).reduce((sum, [from, to]) => sum + to - from, 0);
}
