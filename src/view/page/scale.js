// Where rows are on the page: evenly, or by their time. Only rows that are shown have a place.

// No browser scrolls much further than this.
const HEIGHT_MAX = 12e6;
const MARGIN = 10;

class Scale {
  // `shown` is the list of shown rows, or null where all are; `zoom` is 1 where a row has its usual height.
  constructor(data, shown, by, zoom) {
    this.data = data;
    this.shown = shown;
    this.size = shown === null ? data.rows : shown.length;
    this.by = by;
    this.height = Math.min(22 * zoom, HEIGHT_MAX / Math.max(this.size, 1));
    const { start, end } = data.head.metrics;
    this.start = start;
    // By time, the whole run is as long as its rows would be by event.
    this.perNs = Math.min((this.size * 22 * zoom) / Math.max(end - start, 1), HEIGHT_MAX / Math.max(end - start, 1));
    this.total = 2 * MARGIN + (by === "time" ? (end - start) * this.perNs : this.size * this.height);
  }

  // The row at a place among those shown.
  row(index) { return this.shown === null ? index : this.shown[index]; }

  // The place of a row, or of the last shown one before it.
  index(row) {
    if (this.shown === null) return row;
    return lastWhere(this.size, (index) => this.shown[index] <= row);
  }

  isShown(row) {
    if (this.shown === null) return true;
    const index = this.index(row);
    return index >= 0 && this.shown[index] === row;
  }

  // The middle of a row; of one that is not shown, where it would be.
  y(row) {
    if (this.by === "time") return MARGIN + (this.data.at(row) - this.start) * this.perNs;
    const index = this.index(row);
    const isBetween = this.shown !== null && (index < 0 || this.shown[index] !== row);
    return MARGIN + (index + (isBetween ? 1 : 0.5)) * this.height;
  }

  // The place of the first shown row at or below y.
  first(y) {
    if (this.by !== "time") return Math.min(Math.max(Math.floor((y - MARGIN) / this.height), 0), this.size);
    return 1 + lastWhere(this.size, (index) => this.y(this.row(index)) < y);
  }
}

// The rows that a filter leaves; null where it leaves all.
function filtered(data, hidesClass, hidesLane) {
  if (hidesClass.size === 0 && hidesLane.size === 0) return null;
  const words = data.head.words.map((word) => !hidesClass.has(data.head.kinds[word[0]][1]));
  const lives = data.head.lives.map((life) => !hidesLane.has(life[0]));
  const rows = new Int32Array(data.rows);
  let size = 0;
  for (let row = 0; row < data.rows; row += 1) {
    const life = data.life(row);
    if (words[data.word(row)] && (life < 0 || lives[life])) rows[size++] = row;
  }
  return rows.subarray(0, size);
}
