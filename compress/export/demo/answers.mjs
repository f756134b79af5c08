// Answers of a lingopress bundle in JavaScript, equal to those of `lingopress predict` and `embed`.
//
//   import * as library from "@huggingface/transformers";
//   const bundle = await open(library, "model", settings);
//   await bundle.label("It rains.");        // {label: "weather", scores: {weather: 0.98, ...}}
//
// Texts are put together from token ids here, as Python does: special tokens around them, the longer
// of two texts cut first, one tag per word. What runs them is transformers.js.
//
// settings: what `lingopress demo` writes of a bundle: head, answers, labels, maxLength, padding,
// template (special tokens), pooling, prefix, missing (the tag of a word without tokens).

const CLASSES = {
  pair: "AutoModelForSequenceClassification",
  tagging: "AutoModelForTokenClassification",
  span: "AutoModelForQuestionAnswering",
};
// Of models of spans, in tokens: a sequence, a question, what two windows share, an answer.
const [LONGEST, QUESTION, OVERLAP, ANSWER] = [384, 64, 128, 30];

/** Open a bundle. `device` is "wasm", "webgpu", or "cpu" in node. */
export async function open(library, path, settings, { device = "wasm", progress } = {}) {
  const options = { device, dtype: settings.dtype, progress_callback: progress };
  const tokenizer = await library.AutoTokenizer.from_pretrained(path, options);
  const kind = CLASSES[settings.head] ?? "AutoModel";
  const model = await library[kind].from_pretrained(path, options);
  return new Bundle(library, tokenizer, model, settings);
}

class Bundle {
  constructor(library, tokenizer, model, settings) {
    Object.assign(this, { library, tokenizer, model, settings });
    this.kept = new Map(); // ids of words that were seen
  }

  /** Ids of a text, without special tokens. */
  ids(text) {
    return this.tokenizer.encode(text, { add_special_tokens: false });
  }

  /** Outputs of one row of ids. */
  async run(ids) {
    const tensor = (values) =>
      new this.library.Tensor("int64", BigInt64Array.from(values, BigInt), [1, ids.length]);
    return this.model({ input_ids: tensor(ids), attention_mask: tensor(ids.map(() => 1)) });
  }

  /** `<s> first </s>` or `<s> first </s></s> second </s>`, cut to the longest input. */
  sequence(first, second) {
    const { before, after, opening, between, closing } = this.settings.template;
    const most = this.settings.maxLength;
    const one = this.ids(first);
    if (second === undefined) return [...before, ...one.slice(0, most - before.length - after.length), ...after];
    const two = this.ids(second);
    const room = most - opening.length - between.length - closing.length;
    const [a, b] = shares(one.length, two.length, room);
    return [...opening, ...one.slice(0, a), ...between, ...two.slice(0, b), ...closing];
  }

  /** The label of a text or of two, with the share of each label. */
  async label(first, second) {
    const { labels, answers } = this.settings;
    const logits = [...(await this.run(this.sequence(first, second))).logits.data];
    const named = (values) => Object.fromEntries(labels.map((label, i) => [label, values[i]]));
    if (answers === "score") return labels.length === 1 ? { score: logits[0] } : { scores: named(logits) };
    if (answers === "labels") {
      const scores = named(logits.map((x) => 1 / (1 + Math.exp(-x))));
      return { labels: labels.filter((_, i) => logits[i] >= 0), scores };
    }
    return { label: labels[largest(logits)], scores: named(softmax(logits)) };
  }

  /** A tag per word; long sentences run in windows that end between words. */
  async tags(words) {
    const { labels, missing, maxLength } = this.settings;
    const { before, after } = this.settings.template;
    const room = maxLength - before.length - after.length;
    const tags = words.map(() => missing);
    for (const window of windows(words.map((word) => this.word(word)), room)) {
      const ids = [...before, ...window.map((token) => token.id), ...after];
      const { data } = (await this.run(ids)).logits;
      window.forEach(({ word, first }, place) => {
        const from = (before.length + place) * labels.length;
        if (first) tags[word] = labels[largest(data.subarray(from, from + labels.length))];
      });
    }
    return tags;
  }

  word(word) {
    if (!this.kept.has(word)) this.kept.set(word, this.ids(word));
    return this.kept.get(word);
  }

  /** The part of a context that answers a question. White space is that of the tokenizer. */
  async answer(question, context) {
    const { opening, between, closing } = this.settings.template;
    const longest = Math.min(this.settings.maxLength, LONGEST);
    const asked = this.ids(question).slice(0, Math.min(QUESTION, Math.floor(longest / 2)));
    const head = [...opening, ...asked, ...between];
    const room = longest - head.length - closing.length;
    const all = this.ids(context);
    let best = { score: -Infinity, ids: [] };
    for (const from of starts(all.length, room)) {
      const part = all.slice(from, from + room);
      const out = await this.run([...head, ...part, ...closing]);
      const [first, last] = [out.start_logits.data, out.end_logits.data];
      for (let a = 0; a < part.length; a++) {
        for (let b = a; b < Math.min(a + ANSWER, part.length); b++) {
          const score = first[head.length + a] + last[head.length + b];
          if (score > best.score) best = { score, ids: part.slice(a, b + 1) };
        }
      }
    }
    if (!best.ids.length) return "";
    return this.tokenizer.decode(best.ids, { skip_special_tokens: true }).trim();
  }

  /** The vector of a text, of length 1. */
  async embed(text) {
    const { pooling, prefix } = this.settings;
    const ids = this.sequence(prefix + text);
    const { data, dims } = (await this.run(ids)).last_hidden_state;
    const width = dims[2];
    const vector = new Float32Array(width);
    const tokens = pooling === "cls" ? 1 : ids.length;
    for (let t = 0; t < tokens; t++) for (let i = 0; i < width; i++) vector[i] += data[t * width + i] / tokens;
    const length = Math.hypot(...vector) || 1;
    return vector.map((x) => x / length);
  }
}

/** How many tokens of each of two texts are kept: the longer one is cut first. */
export function shares(first, second, room) {
  if (first + second <= room) return [first, second];
  const [short, long] = first <= second ? [first, second] : [second, first];
  const kept = Math.min(short, Math.floor(room / 2));
  const rest = Math.min(long, room - kept);
  return first <= second ? [kept, rest] : [rest, kept];
}

/** Tokens of words, cut between words into windows of at most `room`. */
export function windows(words, room) {
  const tokens = words.flatMap((ids, word) => ids.map((id, place) => ({ id, word, first: place === 0 })));
  const found = [];
  for (let start = 0; start < tokens.length; ) {
    let end = Math.min(start + room, tokens.length);
    if (end < tokens.length) {
      let cut = end;
      while (cut > start && tokens[cut].word === tokens[cut - 1].word) cut--;
      if (cut > start) end = cut;
    }
    const window = tokens.slice(start, end);
    if (window[0]) window[0] = { ...window[0], first: start === 0 || tokens[start - 1].word !== window[0].word };
    found.push(window);
    start = end;
  }
  return found;
}

/** Where windows of `room` tokens begin, so that they cover all. */
export function starts(tokens, room) {
  const step = room - Math.min(OVERLAP, Math.floor(room / 2));
  const found = [0];
  while (found.at(-1) + room < tokens) found.push(found.at(-1) + step);
  return found;
}

function largest(values) {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i] > values[best]) best = i;
  return best;
}

function softmax(values) {
  const top = Math.max(...values);
  const powers = values.map((x) => Math.exp(x - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((x) => x / sum);
}
