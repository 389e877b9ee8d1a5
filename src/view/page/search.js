// Search: every word must be said by the event. `at:` a column, `ckpt:` a checkpoint, `kind:` a kind of event.

// So many hits are kept.
const HITS_MAX = 10000;

// The rows that say all that is asked for, in order.
function found(data, asked) {
  const terms = asked.toLowerCase().split(/\s+/).filter((term) => term !== "");
  if (terms.length === 0) return [];
  const record = recordAsked(data, terms);
  const words = data.head.words.map((word) => said(data, word, terms));
  const lanes = data.head.lanes.map((lane) => lane.name.toLowerCase());
  const hits = [];
  for (let row = 0; row < data.rows && hits.length < HITS_MAX; row += 1) {
    const left = words[data.word(row)];
    if (left !== null && left.every((term) => fits(data, row, term, lanes, record))) hits.push(row);
  }
  return hits;
}

// The terms that a sentence leaves to what differs from event to event; null where it cannot fit.
function said(data, [kind, checkpoint, text], terms) {
  const lower = text.toLowerCase();
  const left = [];
  for (const term of terms) {
    const [field, value] = fielded(term);
    if (field === "kind" && !data.head.kinds[kind][0].includes(value)) return null;
    if (field === "ckpt" && (checkpoint === null || data.head.ids[checkpoint] !== named(value))) return null;
    if (field === "at") left.push(term);
    if (field === "" && !lower.includes(term)) left.push(term);
  }
  return left;
}

function fielded(term) {
  const [, field, value] = /^(kind|ckpt|at):(.*)$/.exec(term) ?? ["", "", term];
  return [field, value];
}

function named(checkpoint) { return checkpoint.startsWith("ckpt-") ? checkpoint : `ckpt-${checkpoint}`; }

function fits(data, row, term, lanes, record) {
  const [field, value] = fielded(term);
  const lane = data.lane(row);
  if (field === "at") return lane >= 0 && lanes[lane].includes(value);
  if (/^#\d+$/.test(term)) return String(data.number(row)) === term.slice(1);
  if (record !== null && data.record(row) === record) return true;
  return lane >= 0 && lanes[lane].includes(value);
}

// The first record whose name begins as is asked for, by its place among all.
function recordAsked(data, terms) {
  const name = terms.map((term) => /^r-([0-9a-f]{6,16})$/.exec(term)).find((match) => match !== null);
  if (!name) return null;
  for (let index = 0; index < data.head.parts.length; index += 1) {
    const { records } = data.part(index * data.head.part);
    for (let from = records.indexOf(name[1]); from >= 0; from = records.indexOf(name[1], from + 1)) {
      if (from % 16 === 0) return data.head.parts[index][2] + from / 16;
    }
  }
  return null;
}
