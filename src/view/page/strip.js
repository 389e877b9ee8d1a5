// The run over time: its checkpoints with their phases, what was processed, what waited, what was blocked.

const SVG = "http://www.w3.org/2000/svg";
const BARS_MAX = 800;
const STRIP = { width: 1000, bars: 26, graph: 26, gap: 4 };

class Strip {
  // `choose(checkpoint)` and `go(time)` are called when somebody points at something.
  constructor(element, data, choose, go) {
    this.data = data;
    const { start, end } = data.head.metrics;
    this.x = (at) => (STRIP.width * (at - start)) / Math.max(end - start, 1);
    this.height = STRIP.bars + 3 * (STRIP.graph + STRIP.gap) + STRIP.gap;
    this.svg = svg("svg", { viewBox: `0 0 ${STRIP.width} ${this.height}`, preserveAspectRatio: "none", role: "img", "aria-label": this.summary() });
    this.bars();
    this.graphs();
    this.here = svg("rect", { class: "here", y: 0, height: this.height, width: 3, x: -10 });
    this.svg.append(this.here);
    const { metrics } = data.head;
    const most = (figures) => grouped(Math.max(...figures));
    const legends = ["checkpoints", `processed, ≤ ${most(metrics.processed)}`, `in channels, ≤ ${most(metrics.waiting)}`, `blocked, ≤ ${most(metrics.blocked)}`];
    const names = tag("div", { class: "legends", "aria-hidden": "true" }, legends.map((legend) => tag("span", {}, [legend])));
    element.append(names, this.svg);
    this.svg.addEventListener("click", (event) => {
      const bar = event.target.closest("[data-checkpoint]");
      const box = this.svg.getBoundingClientRect();
      if (bar) choose(Number(bar.dataset.checkpoint));
      else go(start + ((event.clientX - box.left) / box.width) * (end - start));
    });
  }

  summary() {
    const { checkpoints, metrics } = this.data.head;
    const ended = (how) => checkpoints.filter((own) => own.end.is === how).length;
    const processed = metrics.processed.reduce((all, each) => all + each, 0);
    return `${shownTime(metrics.end - metrics.start)}: ${ended("completed")} checkpoints completed, ${ended("aborted")} aborted; ${plural(processed, "record")} processed; at most ${grouped(Math.max(...metrics.waiting))} in channels, ${grouped(Math.max(...metrics.blocked))} channels blocked.`;
  }

  bars() {
    const { checkpoints, metrics } = this.data.head;
    const step = Math.max(1, Math.ceil(checkpoints.length / BARS_MAX));
    const ends = [];
    for (let index = 0; index < checkpoints.length; index += step) {
      const [began, , , , end] = checkpoints[index].times;
      let level = ends.findIndex((free) => free <= began);
      if (level < 0) level = ends.push(0) - 1;
      ends[level] = end ?? metrics.end;
      this.bar(checkpoints[index], index, level % 3);
    }
  }

  bar(own, index, level) {
    const [began, first, last, acknowledged, end] = own.times;
    const to = end ?? this.data.head.metrics.end;
    const group = svg("g", { class: `checkpoint ${own.end.is}${own.broken ? " bad" : ""}`, "data-checkpoint": index });
    const part = (name, from, until) => svg("rect", { class: name, x: this.x(from), y: 1 + 8 * level, height: 7, width: Math.max(this.x(until) - this.x(from), 2) });
    group.append(part("pending", began, to));
    if (first !== null) group.append(part("snapshots", first, last ?? to));
    if (last !== null) group.append(part("durable", last, acknowledged ?? to));
    const name = svg("title", {});
    name.textContent = `${own.id}, ${own.end.is}`;
    group.append(name);
    this.svg.append(group);
  }

  graphs() {
    const { metrics } = this.data.head;
    ["processed", "waiting", "blocked"].forEach((name, place) => {
      const base = STRIP.bars + (place + 1) * (STRIP.graph + STRIP.gap);
      this.svg.append(this.graph(name, metrics[name], base));
    });
    const faults = metrics.faults.flatMap((number, part) => (number > 0 ? [part] : []));
    for (const part of faults) {
      const x = (STRIP.width * (part + 0.5)) / metrics.faults.length;
      this.svg.append(svg("line", { class: "fault", x1: x, x2: x, y1: STRIP.bars, y2: this.height }));
    }
  }

  graph(name, figures, base) {
    const most = Math.max(...figures, 1);
    const width = STRIP.width / figures.length;
    const points = figures.flatMap((figure, part) => {
      const y = base - (STRIP.graph * figure) / most;
      return [`${part * width},${y}`, `${(part + 1) * width},${y}`];
    });
    return svg("path", { class: name, d: `M0,${base} L${points.join(" L")} L${STRIP.width},${base} Z` });
  }

  // Marks what is in sight.
  show(from, to, checkpoint) {
    this.here.setAttribute("x", this.x(from));
    this.here.setAttribute("width", Math.max(this.x(to) - this.x(from), 3));
    for (const bar of this.svg.querySelectorAll("[data-checkpoint]")) {
      bar.classList.toggle("chosen", Number(bar.dataset.checkpoint) === checkpoint);
    }
  }
}

function svg(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}
