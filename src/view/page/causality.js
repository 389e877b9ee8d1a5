// What happened before an event, and because of it: the two passes of src/view/causality.rs.

// No further than so many rows each way: what is that far off is said to be cut off.
const CONE_ROWS = 250000;

// The rows before `row`, as a set that tells whether it has one; itself included.
function past(data, row) {
  const from = Math.max(0, row - CONE_ROWS);
  const cone = new Cone(from, row - from + 1, from > 0);
  const lives = new Uint8Array(data.head.lives.length);
  const messages = new Uint8Array(row - from + 1);
  for (let each = row; each >= from; each -= 1) {
    const life = data.life(each);
    if (life < 0 || (each !== row && !lives[life] && !messages[each - from])) continue;
    lives[life] = 1;
    const cause = data.cause(each);
    if (cause >= from) messages[cause - from] = 1;
    cone.add(each);
  }
  return cone;
}

// The rows after `row`.
function future(data, row) {
  const to = Math.min(data.rows, row + CONE_ROWS);
  const cone = new Cone(row, to - row, to < data.rows);
  const lives = new Uint8Array(data.head.lives.length);
  for (let each = row; each < to; each += 1) {
    const life = data.life(each);
    if (life < 0) continue;
    const cause = data.cause(each);
    if (each !== row && !lives[life] && !(cause >= row && cone.has(cause))) continue;
    lives[life] = 1;
    cone.add(each);
  }
  return cone;
}

class Cone {
  constructor(from, size, isCutOff) {
    this.from = from;
    this.rows = new Uint8Array(size);
    this.size = 0;
    this.isCutOff = isCutOff;
  }

  add(row) { this.rows[row - this.from] = 1; this.size += 1; }
  has(row) { return this.rows[row - this.from] === 1; }
}

// The rows that a message of `row` led to, the first few.
function effects(data, row, most = 6, within = 20000) {
  const found = [];
  const to = Math.min(data.rows, row + within);
  for (let each = row + 1; each < to && found.length < most; each += 1) {
    if (data.cause(each) === row) found.push(each);
  }
  return found;
}
