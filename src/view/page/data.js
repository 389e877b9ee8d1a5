// What the page was given. The head is read at once; rows are read part by part, as they come into sight.

const RECORD = "\u0001";
const NUMBER = "\u0002";
const MARKS = /[\u0001\u0002]/g;

class Data {
  // `read(id)` gives the text of an element.
  constructor(read) {
    this.read = read;
    this.head = JSON.parse(read("head"));
    this.rows = this.head.rows;
    this.parts = new Array(this.head.parts.length);
    this.processes = [...new Set(this.head.lives.map((life) => life[1]))];
  }

  // The part that a row is in.
  part(row) {
    const index = Math.floor(row / this.head.part);
    return (this.parts[index] ??= decoded(JSON.parse(this.read(`part-${index}`)), index, this.head));
  }

  at(row) { const part = this.part(row); return part.at[row - part.start]; }
  number(row) { const part = this.part(row); return part.number[row - part.start]; }
  life(row) { const part = this.part(row); return part.life[row - part.start]; }
  word(row) { const part = this.part(row); return part.word[row - part.start]; }
  cause(row) { const part = this.part(row); return part.cause[row - part.start]; }
  record(row) { const part = this.part(row); return part.record[row - part.start]; }
  told(row) { const part = this.part(row); return part.told.get(row - part.start); }

  lane(row) { const life = this.life(row); return life < 0 ? -1 : this.head.lives[life][0]; }
  process(row) { const life = this.life(row); return life < 0 ? "" : this.head.lives[life][1]; }
  kind(row) { return this.head.kinds[this.head.words[this.word(row)][0]]; }
  class(row) { return this.kind(row)[1]; }
  isGap(row) { return this.life(row) < 0; }

  // The checkpoint that an event names, as it is shown.
  checkpoint(row) {
    const id = this.head.words[this.word(row)][1];
    return id === null ? "" : this.head.ids[id];
  }

  // What an event says; with `digits`, names of records are cut to so many.
  sentence(row, digits = 16) {
    return this.head.words[this.word(row)][2].replace(MARKS, (mark) =>
      mark === RECORD ? this.recordName(this.record(row)).slice(0, 2 + digits) : grouped(this.told(row)));
  }

  // A record by its place among all.
  recordName(record) {
    if (typeof record !== "number" || record < 0) return typeof record === "string" ? record : "";
    const index = lastWhere(this.head.parts.length, (part) => this.head.parts[part][2] <= record);
    const from = 16 * (record - this.head.parts[index][2]);
    return `r-${this.part(index * this.head.part).records.slice(from, from + 16)}`;
  }

  // The row of an event by its number.
  rowOf(number) {
    const row = lastWhere(this.rows, (row) => this.number(row) <= number);
    return Math.max(row, 0);
  }
}

// The columns of a part as they are used: absolute, and of one type each.
function decoded(columns, index, head) {
  const start = index * head.part;
  const size = columns.t.length;
  const part = {
    start,
    size,
    at: new Float64Array(size),
    number: new Float64Array(size),
    life: new Int32Array(size),
    word: Int32Array.from(columns.w),
    cause: new Int32Array(size),
    record: new Int32Array(size),
    told: new Map(),
    records: columns.d,
  };
  let at = 0;
  let number = 0;
  let records = head.parts[index][2];
  let told = 0;
  for (let row = 0; row < size; row += 1) {
    at += columns.t[row];
    number = row === 0 ? columns.n[0] : number + (columns.n.length > 1 ? columns.n[row] : 1);
    part.at[row] = at;
    part.number[row] = number;
    part.life[row] = columns.l[row] - 1;
    part.cause[row] = columns.p[row] === 0 ? -1 : start + row - columns.p[row];
    part.record[row] = columns.r[row] === 0 ? -1 : records + 1 - columns.r[row];
    if (columns.r[row] === 1) records += 1;
    if (head.words[columns.w[row]][2].includes(NUMBER)) part.told.set(row, columns.a[told++]);
  }
  return part;
}

// The last of 0 to `size` for which a test holds that holds up to somewhere; -1 where it never does.
function lastWhere(size, holds) {
  let from = 0;
  let to = size;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (holds(middle)) from = middle + 1;
    else to = middle;
  }
  return from - 1;
}

// A number with its digits in groups.
function grouped(number) {
  return String(number ?? "").replace(/\B(?=(\d{3})+$)/g, ",");
}

// A count with its noun.
function plural(number, noun) {
  return `${grouped(number)} ${noun}${number === 1 ? "" : "s"}`;
}

// Virtual time as traces show it.
function shownTime(ns) {
  return `${grouped(Math.floor(ns / 1e6))}.${String(Math.floor(ns / 1e3) % 1000).padStart(3, "0")} ms`;
}
