// The drawing: columns, what crosses them, and the cut. It draws what is in sight and nothing else.

// No more rows are drawn at once; where more are in sight, some are left out evenly.
const DRAWN_MAX = 4000;
// Arrows that begin in sight are looked for this far below.
const AHEAD = 300;

class Drawing {
  constructor(canvas, data) {
    this.canvas = canvas;
    this.data = data;
    this.pen = canvas.getContext("2d");
    this.down = data.head.shades.filter((shade) => shade.kind === "down" || shade.kind === "paused");
    // Which rows lie in which cut is known for all checkpoints, so that others' lines are drawn faintly.
    this.spans = data.head.checkpoints.map((own) => {
      const rows = own.members.map((member) => member[2]).filter((row) => row !== null);
      return rows.length === 0 ? null : [Math.min(...rows), Math.max(...rows)];
    });
  }

  // The colours of the theme in force.
  colours() {
    const style = getComputedStyle(document.documentElement);
    const names = ["ground", "ink", "muted", "line", "cut", "flight", "bad", "align", "before"];
    this.colour = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }

  // Draws what `view` tells: scale, columns, top, left, width, height, selected row, checkpoint, cones.
  draw(view) {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.max(view.width, 1), Math.max(view.height, 1)];
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.canvas.style.width = `${width}px`;
      this.canvas.style.height = `${height}px`;
    }
    this.view = view;
    this.from = Math.max(view.scale.first(view.top) - 1, 0);
    this.to = Math.min(view.scale.first(view.top + height) + 1, view.scale.size);
    this.step = Math.max(1, Math.ceil((this.to - this.from) / DRAWN_MAX));
    const pen = this.pen;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.save();
    pen.translate(view.lanesLeft - view.left, -view.top);
    this.beforeCut();
    this.selection();
    this.shades();
    this.lifelines();
    this.arrows();
    this.otherCuts();
    this.events();
    this.crossing();
    this.cut();
    pen.restore();
  }

  y(row) { return this.view.scale.y(row); }
  x(lane) { return this.view.columns.x(lane); }
  checkpoint() { return this.data.head.checkpoints[this.view.checkpoint]; }

  stroke(colour, width, dash = []) {
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = width;
    this.pen.setLineDash(dash);
  }

  line(x1, y1, x2, y2) {
    this.pen.beginPath();
    this.pen.moveTo(x1, y1);
    this.pen.lineTo(x2, y2);
    this.pen.stroke();
  }

  // Where the cut of a checkpoint meets each column, from left to right.
  corners(own) {
    const rows = new Map(own.members.map((member) => [member[0], member[2]]));
    const corners = [];
    for (const lane of this.view.columns.shown) {
      const row = rows.get(lane);
      if (row !== undefined && row !== null) corners.push([this.x(lane), this.y(row), lane]);
    }
    return corners;
  }

  // The line of a cut, from edge to edge of the columns.
  traced(corners) {
    const reach = this.view.columns.spacing / 2;
    this.pen.beginPath();
    this.pen.moveTo(corners[0][0] - reach, corners[0][1]);
    corners.forEach(([x, y]) => this.pen.lineTo(x, y));
    const [x, y] = corners[corners.length - 1];
    this.pen.lineTo(x + reach, y);
  }

  // What is in the cut has a ground of its own.
  beforeCut() {
    const own = this.checkpoint();
    const corners = own ? this.corners(own) : [];
    if (corners.length === 0) return;
    const reach = this.view.columns.spacing / 2;
    this.traced(corners);
    this.pen.lineTo(corners[corners.length - 1][0] + reach, this.view.top - 5);
    this.pen.lineTo(corners[0][0] - reach, this.view.top - 5);
    this.pen.closePath();
    this.pen.fillStyle = this.colour.before;
    this.pen.fill();
  }

  selection() {
    const row = this.view.selected;
    if (row < 0) return;
    this.pen.fillStyle = this.colour.line;
    this.pen.fillRect(0, this.y(row) - 10, this.view.columns.width, 20);
  }

  shades() {
    const { scale, top, height, columns } = this.view;
    const offsets = new Map();
    for (const shade of this.data.head.shades) {
      const x = this.x(shade.lane);
      if (x === undefined || !this.isInSight(shade.from, shade.to ?? Infinity)) continue;
      const from = this.y(shade.from);
      const to = shade.to === null ? scale.total : this.y(shade.to);
      if (to < top || from > top + height) continue;
      this.shade(shade, x, Math.max(from, top - 20), Math.min(to, top + height + 20), columns, offsets);
    }
  }

  shade(shade, x, from, to, columns, offsets) {
    const pen = this.pen;
    if (shade.kind === "aligning") {
      const half = Math.min(columns.spacing / 2 - 3, 15);
      pen.save();
      pen.beginPath();
      pen.rect(x - half, from, 2 * half, to - from);
      pen.clip();
      pen.globalAlpha = 0.9;
      this.stroke(this.colour.align, 1);
      for (let y = Math.floor(from / 7) * 7 - 2 * half; y < to; y += 7) this.line(x - half, y + 2 * half, x + half, y);
      pen.restore();
      this.stroke(this.colour.align, 1);
      pen.strokeRect(x - half, from, 2 * half, to - from);
    } else if (shade.kind === "blocked") {
      const place = offsets.get(shade.lane) ?? 0;
      offsets.set(shade.lane, place + 1);
      this.stroke(this.colour.bad, 2.5);
      this.line(x - 6 - 4 * (place % 4), from, x - 6 - 4 * (place % 4), to);
    } else {
      pen.save();
      pen.globalAlpha = 0.18;
      pen.fillStyle = shade.kind === "down" ? this.colour.bad : this.colour.muted;
      pen.fillRect(x - columns.spacing / 2 + 2, from, columns.spacing - 4, to - from);
      pen.restore();
    }
  }

  // Whether what lasts from one row to another can be in sight.
  isInSight(from, to) {
    const { scale } = this.view;
    if (scale.size === 0) return false;
    return to >= scale.row(Math.min(this.from, scale.size - 1)) && from <= scale.row(Math.max(this.to - 1, 0));
  }

  lifelines() {
    const { top, height, columns, scale } = this.view;
    const down = this.down.filter((shade) => this.isInSight(shade.from, shade.to ?? Infinity));
    for (const lane of columns.shown) {
      const x = this.x(lane);
      this.stroke(this.colour.line, 2);
      this.line(x, Math.max(top, 0), x, Math.min(top + height, scale.total));
      for (const shade of down.filter((shade) => shade.lane === lane)) {
        const from = Math.max(this.y(shade.from), top);
        const to = Math.min(shade.to === null ? scale.total : this.y(shade.to), top + height);
        if (to <= from) continue;
        this.stroke(this.colour.ground, 4);
        this.line(x, from, x, to);
        this.stroke(this.colour.bad, 1.5, shade.kind === "down" ? [2, 5] : [7, 4]);
        this.line(x, from, x, to);
      }
    }
  }

  arrows() {
    const { scale } = this.view;
    const end = Math.min(this.to + AHEAD, scale.size);
    for (let index = this.from; index < end; index += this.step) {
      const row = scale.row(index);
      const cause = this.data.cause(row);
      if (cause < 0 || (index >= this.to && this.y(cause) > this.view.top + this.view.height)) continue;
      this.arrow(row, cause);
    }
  }

  arrow(row, cause) {
    const [from, to] = [this.data.lane(cause), this.data.lane(row)];
    const [x1, x2] = [this.x(from), this.x(to)];
    if (x1 === undefined || x2 === undefined || from === to) return;
    const kind = this.data.class(row);
    const dims = this.dimmed(row) || this.dimmed(cause);
    this.pen.globalAlpha = dims ? 0.18 : kind === "record" ? 0.55 : 0.9;
    if (this.isConcerned(row)) this.stroke(this.colour.bad, 1.6);
    else if (kind === "record" || kind === "time") this.stroke(this.colour.muted, 1);
    else if (kind === "marker") this.stroke(this.colour.cut, 1.6);
    else this.stroke(this.colour.muted, 1, [3, 4]);
    this.pointed(x1, this.y(cause), x2, this.y(row));
    this.pen.globalAlpha = 1;
  }

  // A line with a point at its end.
  pointed(x1, y1, x2, y2) {
    const side = Math.sign(x2 - x1) || 1;
    this.line(x1, y1, x2 - 4 * side, y2);
    this.pen.setLineDash([]);
    const slope = Math.atan2(y2 - y1, x2 - x1);
    this.pen.beginPath();
    for (const turn of [2.7, 0, -2.7]) {
      const reach = turn === 0 ? 0 : 7;
      this.pen.lineTo(x2 - 4 * side + reach * Math.cos(slope + turn), y2 + reach * Math.sin(slope + turn));
    }
    this.pen.stroke();
  }

  // Whether an event carries the record that the violation is about.
  isConcerned(row) { return this.view.concerned >= 0 && this.data.record(row) === this.view.concerned; }

  dimmed(row) {
    const { cones, selected } = this.view;
    if (!cones) return false;
    return !(row <= selected ? cones.past.has(row) : cones.future.has(row));
  }

  events() {
    const { scale } = this.view;
    for (let index = this.from; index < this.to; index += this.step) {
      const row = scale.row(index);
      if (this.data.isGap(row)) this.gap(row);
      else this.event(row);
    }
  }

  gap(row) {
    const [y, width] = [this.y(row), this.view.columns.width];
    this.stroke(this.colour.muted, 1.5, [1, 5]);
    this.pen.lineCap = "round";
    this.line(0, y - 2, width, y - 2);
    this.line(0, y + 3, width, y + 3);
    this.pen.lineCap = "butt";
  }

  // Each class of events has a shape of its own: colour alone tells nothing.
  event(row) {
    const x = this.x(this.data.lane(row));
    if (x === undefined) return;
    const [y, kind, pen] = [this.y(row), this.data.class(row), this.pen];
    pen.globalAlpha = this.dimmed(row) ? 0.25 : 1;
    pen.setLineDash([]);
    const size = row === this.view.selected ? 5.5 : 4;
    if (row === this.view.violated) this.mark("star", x, y, 9, this.colour.bad);
    else if (this.isConcerned(row)) this.mark("dot", x, y, size + 0.5, this.colour.bad);
    else if (kind === "record" || kind === "time") this.mark("dot", x, y, size - 1.2, this.colour.muted);
    else if (kind === "marker") this.mark("bar", x, y, size + 3, this.colour.cut);
    else if (kind === "alignment") this.mark("bar", x, y, size, this.colour.align);
    else if (kind === "snapshot") this.mark(this.data.kind(row)[0] === "snapshot-taken" ? "square" : "dot", x, y, size, this.colour.cut);
    else if (kind === "control") this.mark("diamond", x, y, size + 1, this.colour.ink);
    else if (kind === "fault") this.mark("cross", x, y, size, this.colour.bad);
    else this.mark("ring", x, y, size - 0.5, this.colour.ink);
    pen.globalAlpha = 1;
  }

  mark(shape, x, y, size, colour) {
    const pen = this.pen;
    pen.fillStyle = colour;
    this.stroke(colour, 2);
    pen.beginPath();
    if (shape === "dot" || shape === "ring") pen.arc(x, y, size, 0, 2 * Math.PI);
    if (shape === "square") pen.rect(x - size, y - size, 2 * size, 2 * size);
    if (shape === "bar") pen.rect(x - size, y - 1.25, 2 * size, 2.5);
    if (shape === "diamond") [[0, -1], [1, 0], [0, 1], [-1, 0]].forEach(([a, b]) => pen.lineTo(x + a * size, y + b * size));
    if (shape === "cross") for (const side of [1, -1]) { pen.moveTo(x - size, y - side * size); pen.lineTo(x + size, y + side * size); }
    if (shape === "star") starOf(pen, x, y, size);
    pen.closePath();
    if (shape === "ring") { pen.fillStyle = this.colour.ground; pen.fill(); }
    if (shape === "ring" || shape === "cross") pen.stroke();
    else pen.fill();
  }

  // The lines of other checkpoints, where they are in sight.
  otherCuts() {
    const { top, height } = this.view;
    this.spans.forEach((span, index) => {
      if (span === null || index === this.view.checkpoint || !this.isInSight(span[0], span[1])) return;
      const corners = this.corners(this.data.head.checkpoints[index]);
      if (corners.length === 0 || corners.every(([, y]) => y < top || y > top + height)) return;
      this.traced(corners);
      this.stroke(this.colour.cut, 1, [4, 4]);
      this.pen.globalAlpha = 0.6;
      this.pen.stroke();
      this.pen.globalAlpha = 1;
    });
  }

  // What crosses the cut: in flight, or wrongly.
  crossing() {
    const own = this.checkpoint();
    if (!own) return;
    for (const channel of own.channels) {
      const isBad = ["lost", "orphan", "doubled", "others"].includes(channel[7]);
      for (const [sent, received] of channel[9]) this.cross(channel, sent, received, isBad);
    }
  }

  cross(channel, sent, received, isBad) {
    const { top, height } = this.view;
    const [x1, x2, y1] = [this.x(channel[1]), this.x(channel[2]), this.y(sent)];
    if (x1 === undefined || x2 === undefined || !this.isInSight(sent, received ?? sent)) return;
    const isThere = received !== null;
    const y2 = isThere ? this.y(received) : y1 + 24;
    if (Math.max(y1, y2) < top || Math.min(y1, y2) > top + height) return;
    this.stroke(this.colour.ground, 5);
    this.line(x1, y1, isThere ? x2 : (x1 + x2) / 2, y2);
    this.stroke(isBad ? this.colour.bad : this.colour.flight, 2.2, isBad ? [7, 3] : []);
    if (isThere) return this.pointed(x1, y1, x2, y2);
    // It never arrived: the line ends on its way.
    this.line(x1, y1, (x1 + x2) / 2, y2);
    this.mark("cross", (x1 + x2) / 2, y2, 4, isBad ? this.colour.bad : this.colour.flight);
  }

  cut() {
    const own = this.checkpoint();
    const corners = own ? this.corners(own) : [];
    if (corners.length === 0) return;
    const pen = this.pen;
    pen.lineJoin = "round";
    this.traced(corners);
    this.stroke(this.colour.ground, 7);
    pen.stroke();
    this.stroke(own.broken ? this.colour.bad : this.colour.cut, 3);
    pen.stroke();
    for (const [x, y] of corners) this.mark("square", x, y, 5.5, own.broken ? this.colour.bad : this.colour.cut);
    this.tag(own.id, corners[0][0] - this.view.columns.spacing / 2, corners[0][1], own.broken);
    pen.lineJoin = "miter";
  }

  // The name of the cut at its left end.
  tag(text, x, y, isBroken) {
    const pen = this.pen;
    pen.font = "600 11px system-ui, sans-serif";
    const width = pen.measureText(text).width + 10;
    const left = Math.max(x, 0) + 1;
    pen.fillStyle = isBroken ? this.colour.bad : this.colour.cut;
    pen.fillRect(left, y - 20, width, 16);
    pen.fillStyle = this.colour.ground;
    pen.fillText(text, left + 5, y - 8);
  }
}

function starOf(pen, x, y, size) {
  for (let point = 0; point < 10; point += 1) {
    const reach = point % 2 === 0 ? size : size * 0.45;
    const turn = (Math.PI * point) / 5 - Math.PI / 2;
    pen.lineTo(x + reach * Math.cos(turn), y + reach * Math.sin(turn));
  }
}
