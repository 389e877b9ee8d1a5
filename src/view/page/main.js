// The page: one place, and what shows it.

const CLASSES = ["record", "marker", "alignment", "snapshot", "control", "store", "sink", "time", "fault"];
const ZOOMS = [0.15, 0.25, 0.4, 0.6, 0.8, 1, 1.4, 2, 4, 8, 16, 32, 64];
const KEYS = [
  ["↑ ↓, k j", "event before, after"], ["Page, Home, End", "further"], ["[ ]", "checkpoint before, after"],
  ["c", "to what led to the event"], ["e", "to what the event led to"], ["v", "to the violation"],
  ["f", "to the next fault"], ["/", "search; Enter and Shift+Enter for the next hit and the one before"],
  ["x", "causes and effects of the event"], ["t", "by event, by time"], ["+ −", "larger, smaller"], ["d", "light, dark"],
];
const SIGNS = [
  ["dot", "a record moves"], ["long bar", "a barrier or another marker"], ["hatched", "a subtask aligns"],
  ["bar beside a column", "one of its channels is blocked"], ["square", "a snapshot: the subtask's place in the cut"],
  ["diamond", "the coordinator"], ["ring", "a store, the sink target"], ["cross", "a fault"], ["star", "the violation"], ["red dot", "the record that it is about"],
  ["thick line", "the cut of the chosen checkpoint: above it is in the cut, below it is not"],
  ["thick arrow", "a record in flight over the cut; broken where that is wrong"], ["dotted double line", "events that are not kept"],
];

class Page {
  constructor(root) {
    const id = (name) => root.getElementById(name);
    this.root = root;
    this.id = id;
    this.data = new Data((name) => id(name).textContent);
    this.hits = [];
    this.hitSet = new Set();
    this.place = placeOf(location.hash);
    this.drawing = new Drawing(id("canvas"), this.data);
    this.grid = new Grid(id("grid"), this.data, (row) => this.go({ row }));
    this.panel = new Panel(id("panel"), this.data, (row) => `#e=${this.data.number(row)}`);
    this.strip = new Strip(id("strip"), this.data, (checkpoint) => this.choose(checkpoint), (time) => this.goTime(time));
    this.tell();
    this.menus();
    this.listen();
    this.open();
  }

  // What stands on the page whatever is selected.
  tell() {
    const { head } = this.data;
    this.id("title").textContent = head.title;
    const missing = head.missing > 0 ? [["not kept", plural(head.missing, "event")]] : [];
    const facts = [...head.facts, ["events", grouped(head.rows)], ...missing];
    this.id("facts").replaceChildren(...facts.flatMap(([name, what], index) => [index > 0 ? " · " : "", tag("span", {}, [`${name} `, tag("b", {}, [what])])]));
    this.violated = head.finding && head.finding.row !== null ? head.finding.row : -1;
    this.id("finding").hidden = !head.finding && head.command === "";
    this.id("headline").textContent = head.finding ? head.finding.headline : "";
    this.id("headline").hidden = !head.finding;
    this.id("finding").classList.toggle("quiet", !head.finding);
    this.id("finding").setAttribute("aria-label", head.finding ? "Violation" : "How to run it again");
    const lines = head.finding ? head.finding.explanation : [];
    this.id("explanation").hidden = lines.length === 0;
    this.id("explanation").replaceChildren(...lines.map((line) => tag("li", {}, [line])));
    this.id("command").textContent = head.command;
    this.id("command").parentElement.hidden = head.command === "";
  }

  menus() {
    const { head } = this.data;
    this.id("checkpoint").replaceChildren(tag("option", { value: "" }, [head.checkpoints.length === 0 ? "none" : "–"]),
      ...head.checkpoints.map((own, index) => tag("option", { value: String(index) }, [`${own.id}${own.savepoint ? " (savepoint)" : ""}, ${own.broken ? "broken" : own.end.is}`])));
    const there = new Set(head.words.map((word) => head.kinds[word[0]][1]));
    this.id("classes").replaceChildren(...CLASSES.filter((each) => there.has(each)).map((each) =>
      tag("label", {}, [tag("input", { type: "checkbox", value: each }), ` ${each}`])));
    this.id("help").replaceChildren(
      tag("h2", {}, ["Keys"]), described(KEYS), tag("h2", {}, ["Signs"]), described(SIGNS),
      tag("form", { method: "dialog" }, [tag("button", {}, ["Close"])]));
  }

  // Where the reader is when the page opens.
  open() {
    const [row, checkpoint] = this.data.head.opening;
    if (this.place.c === "" && checkpoint !== null) this.place.c = String(checkpoint);
    if (this.place.e === "" && row !== null) this.place.e = String(this.data.number(row));
    this.show({ isNew: true });
    // A link to what is searched for leads to the first of it.
    if (this.place.q !== "") this.search(this.place.q, this.place.e === "");
  }

  get selected() { return this.place.e === "" ? -1 : this.data.rowOf(Number(this.place.e)); }
  get checkpoint() { return this.place.c === "" ? -1 : Number(this.place.c); }

  // Another place, kept in the address.
  go({ row, checkpoint, ...rest }, scrolls = true) {
    const before = this.place;
    this.place = { ...before, ...rest };
    if (row !== undefined) this.place.e = row < 0 ? "" : String(this.data.number(row));
    if (checkpoint !== undefined) this.place.c = checkpoint < 0 ? "" : String(checkpoint);
    const isNew = ["by", "z", "hide", "order", "off", "theme"].some((key) => before[key] !== this.place[key]);
    history.replaceState(null, "", fragmentOf(this.place));
    this.show({ isNew, scrolls });
  }

  // Shows the place; `isNew` where rows or columns are not where they were.
  show({ isNew = false, scrolls = true }) {
    if (isNew) this.lay();
    const { selected, checkpoint } = this;
    this.cones = this.place.cone === "1" && selected >= 0 ? { past: past(this.data, selected), future: future(this.data, selected) } : null;
    this.id("checkpoint").value = this.place.c;
    this.id("by").value = this.place.by;
    this.id("cone").checked = this.place.cone === "1";
    this.panel.show(selected, checkpoint, this.cones);
    if (scrolls) this.reveal(selected >= 0 ? this.scale.y(selected) : this.middleOfCut(checkpoint));
    this.paint();
  }

  // Lays rows and columns out anew.
  lay() {
    document.documentElement.dataset.theme = this.place.theme;
    const off = new Set(this.place.off.split(".").filter((each) => CLASSES.includes(each)));
    // What is beside the columns: numbers and times, and words of some length.
    const { clientWidth } = this.id("scroller");
    const room = Math.max(clientWidth < 560 ? clientWidth * 0.45 : clientWidth - 184 - 300, 150);
    this.columns = new Columns(this.data, this.place, room);
    const key = `${[...off]}|${[...this.columns.hidden]}`;
    if (key !== this.filter) {
      this.filter = key;
      this.shown = filtered(this.data, off, this.columns.hidden);
    }
    const by = this.place.by === "time" ? "time" : "event";
    const zoom = Math.min(Math.max(Number(this.place.z) || 1, ZOOMS[0]), ZOOMS[ZOOMS.length - 1]);
    this.scale = new Scale(this.data, this.shown, by, zoom);
    for (const box of this.id("classes").querySelectorAll("input")) box.checked = !off.has(box.value);
    this.grid.clear();
    this.heads();
    this.columnsMenu();
    this.drawing.colours();
    const style = getComputedStyle(document.documentElement);
    this.margin = parseFloat(style.getPropertyValue("--margin"));
    this.id("grid").style.height = `${this.scale.total}px`;
    this.id("whole").style.height = `${this.scale.total + this.id("heads").offsetHeight}px`;
    document.documentElement.style.setProperty("--lanes", `${this.columns.width}px`);
  }

  heads() {
    const { head } = this.data;
    const heads = this.columns.groups().map(([group, lanes]) => {
      const parts = lanes.map((lane) => {
        const { name } = head.lanes[lane];
        const element = tag("b", { title: name }, [group === "" ? this.shortened(name) : name.slice(group.length)]);
        element.style.width = `${this.columns.spacing}px`;
        element.classList.toggle("concerned", head.finding?.lane === lane);
        return element;
      });
      return tag("span", { class: group === "" ? "process" : "subtask" }, [tag("span", {}, [group]), tag("span", { class: "lanes" }, parts)]);
    });
    this.id("heads").replaceChildren(tag("span", { class: "corner" }), ...heads, tag("span", { class: "rest" }));
  }

  // The name of a process as there is room for.
  shortened(name) {
    if (this.columns.spacing > 60) return name;
    const short = { coordinator: "coord", "source-log": "log", "sink-target": "sink", "object-store": "store", "meta-store": "meta" };
    return short[name] ?? name.replace("worker-", "w-");
  }

  columnsMenu() {
    const { head } = this.data;
    const focused = document.activeElement?.dataset?.column;
    this.id("columns").replaceChildren(...this.columns.order.map((lane) => {
      const { name } = head.lanes[lane];
      const box = tag("input", { type: "checkbox", "data-column": `${lane} shown` });
      box.checked = !this.columns.hidden.has(lane);
      box.addEventListener("change", () => this.go({ hide: this.columns.toggled(lane) }));
      const move = (by, sign, way) => {
        const button = tag("button", { type: "button", "aria-label": `Move ${name} ${way}`, "data-column": `${lane} ${way}` }, [sign]);
        button.addEventListener("click", () => this.go({ order: this.columns.moved(lane, by) }));
        return button;
      };
      return tag("div", {}, [tag("label", {}, [box, ` ${name}`]), move(-1, "←", "left"), move(1, "→", "right")]);
    }));
    if (focused) this.id("columns").querySelector(`[data-column="${focused}"]`)?.focus();
  }

  // Where the cut of a checkpoint is.
  middleOfCut(checkpoint) {
    const own = this.data.head.checkpoints[checkpoint];
    const rows = own ? own.members.map((member) => member[2]).filter((row) => row !== null) : [];
    if (rows.length === 0) return own && own.triggered !== null ? this.scale.y(own.triggered) : 0;
    // A cut that is longer than the page is shown from where it begins.
    const [first, last] = [this.scale.y(Math.min(...rows)), this.scale.y(Math.max(...rows))];
    return Math.min((first + last) / 2, first + this.id("scroller").clientHeight * 0.3);
  }

  // Scrolls so far that a height is in sight, and no further.
  reveal(y) {
    const scroller = this.id("scroller");
    const [top, height] = [scroller.scrollTop, scroller.clientHeight - this.id("heads").offsetHeight];
    if (y < top + 40 || y > top + height - 40) scroller.scrollTop = y - height / 2;
  }

  paint() {
    this.waits = false;
    const scroller = this.id("scroller");
    const headsHeight = this.id("heads").offsetHeight;
    const view = {
      scale: this.scale, columns: this.columns, top: this.paperTop ?? scroller.scrollTop, left: scroller.scrollLeft, lanesLeft: this.margin,
      width: scroller.clientWidth, height: scroller.clientHeight - headsHeight,
      selected: this.selected, violated: this.violated, concerned: this.data.head.finding?.record ?? -1, up: this.paperTop ?? 0, checkpoint: this.checkpoint, cones: this.cones, hits: this.hitSet,
    };
    document.documentElement.style.setProperty("--heads", `${headsHeight}px`);
    this.drawing.draw(view);
    this.grid.show(view);
    if (this.scale.size > 0) {
      const last = Math.min(this.scale.first(view.top + view.height), this.scale.size - 1);
      const first = Math.min(this.scale.first(view.top), last);
      this.strip.show(this.data.at(this.scale.row(first)), this.data.at(this.scale.row(last)), this.checkpoint);
    }
  }

  // Paints once before the next frame, however often it is asked for.
  paintSoon() {
    if (this.waits) return;
    this.waits = true;
    requestAnimationFrame(() => this.paint());
  }

  say(text) { this.id("said").textContent = text; }

  // To a row that is shown, so many further.
  step(by) {
    const { scale } = this;
    if (scale.size === 0) return;
    const now = this.selected < 0 ? scale.first(this.id("scroller").scrollTop) - (by > 0 ? 1 : 0) : scale.index(this.selected);
    this.go({ row: scale.row(Math.min(Math.max(now + by, 0), scale.size - 1)) });
  }

  choose(checkpoint) {
    const own = this.data.head.checkpoints[checkpoint];
    if (!own) return;
    const first = own.triggered ?? own.members.map((member) => member[2]).find((row) => row !== null) ?? -1;
    this.go({ checkpoint, row: -1 }, false);
    this.reveal(this.middleOfCut(checkpoint));
    this.paint();
    this.say(`${own.id}: ${verdict(own)}${first < 0 ? " Its events are not kept." : ""}`);
  }

  chooseNext(by) {
    const { length } = this.data.head.checkpoints;
    if (length > 0) this.choose(Math.min(Math.max(this.checkpoint + by, 0), length - 1));
  }

  goTime(time) {
    const index = lastWhere(this.scale.size, (index) => this.data.at(this.scale.row(index)) <= time);
    if (index >= 0) this.go({ row: this.scale.row(index) });
  }

  nextFault() {
    const { faults } = this.data.head;
    const next = faults.find((row) => row > this.selected) ?? faults[0];
    if (next === undefined) this.say("There is no fault.");
    else this.go({ row: next });
  }

  search(asked, goes = true) {
    this.hits = found(this.data, asked);
    this.hitSet = new Set(this.hits);
    const next = this.hits.find((row) => row >= this.selected) ?? this.hits[0];
    this.id("search").value = asked;
    this.id("hits").textContent = asked.trim() === "" ? "" : this.hits.length >= HITS_MAX ? `${grouped(HITS_MAX)} hits or more` : plural(this.hits.length, "hit");
    this.go(goes && next !== undefined ? { q: asked, row: next } : { q: asked }, goes);
  }

  nextHit(by) {
    const { hits, selected } = this;
    if (hits.length === 0) return;
    const after = hits.findIndex((row) => row > selected);
    const before = lastWhere(hits.length, (index) => hits[index] < selected);
    const index = by > 0 ? (after < 0 ? 0 : after) : before < 0 ? hits.length - 1 : before;
    this.go({ row: hits[index] });
  }

  zoom(by) {
    const now = ZOOMS.findIndex((zoom) => zoom >= Number(this.place.z));
    const scroller = this.id("scroller");
    const middle = this.scale.row(Math.min(this.scale.first(scroller.scrollTop + scroller.clientHeight / 2), this.scale.size - 1));
    const held = this.selected >= 0 ? this.selected : middle;
    this.go({ z: String(ZOOMS[Math.min(Math.max(now + by, 0), ZOOMS.length - 1)]) }, false);
    scroller.scrollTop = this.scale.y(held) - scroller.clientHeight / 2;
    this.paint();
  }

  theme() {
    const isDark = this.place.theme === "dark" || (this.place.theme === "" && matchMedia("(prefers-color-scheme: dark)").matches);
    this.go({ theme: isDark ? "light" : "dark" }, false);
  }

  listen() {
    const on = (name, what, does) => this.id(name).addEventListener(what, does);
    on("scroller", "scroll", () => this.paintSoon());
    on("theme", "click", () => this.theme());
    on("help-open", "click", () => this.id("help").showModal());
    on("copy", "click", () => navigator.clipboard?.writeText(this.data.head.command).then(() => this.say("Copied.")));
    on("checkpoint", "change", (event) => (event.target.value === "" ? this.go({ checkpoint: -1 }, false) : this.choose(Number(event.target.value))));
    on("checkpoint-before", "click", () => this.chooseNext(-1));
    on("checkpoint-after", "click", () => this.chooseNext(1));
    on("by", "change", (event) => this.go({ by: event.target.value }));
    on("in", "click", () => this.zoom(1));
    on("out", "click", () => this.zoom(-1));
    on("cone", "change", (event) => this.go({ cone: event.target.checked ? "1" : "" }, false));
    on("search", "input", (event) => this.searchSoon(event.target.value));
    on("search", "keydown", (event) => this.inSearch(event));
    on("classes", "change", () => {
      const boxes = [...this.id("classes").querySelectorAll("input")];
      this.go({ off: boxes.filter((box) => !box.checked).map((box) => box.value).join(".") });
    });
    window.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("hashchange", () => this.followed());
    window.addEventListener("resize", () => this.show({ isNew: true, scrolls: false }));
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.show({ isNew: true, scrolls: false }));
  }

  // A link, or an address that somebody typed.
  followed() {
    const asked = this.place.q;
    this.go(placeOf(location.hash, this.place));
    this.show({ isNew: true });
    if (this.place.q !== asked) this.search(this.place.q, false);
  }

  searchSoon(asked) {
    clearTimeout(this.searching);
    this.searching = setTimeout(() => this.search(asked), this.data.rows > 50000 ? 400 : 60);
  }

  inSearch(event) {
    if (event.key === "Enter") this.nextHit(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") this.id("grid").focus();
  }

  key(event) {
    const isTyped = event.target.closest?.("input:not([type=checkbox]), select, textarea, dialog");
    if (isTyped || event.ctrlKey || event.altKey || event.metaKey) return;
    const isElsewhere = event.target.closest?.("#panel, details, .wide");
    const does = this.keys(isElsewhere)[event.key];
    if (does === undefined) return;
    event.preventDefault();
    does();
  }

  keys(isElsewhere) {
    const page = Math.max(1, Math.floor((this.id("scroller").clientHeight / Math.max(this.scale.height, 1)) * 0.8));
    const scrolls = {
      ArrowDown: () => this.step(1), ArrowUp: () => this.step(-1), PageDown: () => this.step(page), PageUp: () => this.step(-page),
      Home: () => this.step(-Infinity), End: () => this.step(Infinity),
    };
    return {
      ...(isElsewhere ? {} : scrolls),
      j: () => this.step(1), k: () => this.step(-1), "[": () => this.chooseNext(-1), "]": () => this.chooseNext(1),
      c: () => this.follow(this.selected < 0 ? -1 : this.data.cause(this.selected)),
      e: () => this.follow(effects(this.data, this.selected, 1)[0] ?? -1),
      v: () => this.follow(this.violated), f: () => this.nextFault(), x: () => this.go({ cone: this.place.cone === "1" ? "" : "1" }, false),
      "/": () => this.id("search").select(), t: () => this.go({ by: this.place.by === "time" ? "event" : "time" }),
      "+": () => this.zoom(1), "=": () => this.zoom(1), "-": () => this.zoom(-1), d: () => this.theme(), "?": () => this.id("help").showModal(),
      n: () => this.nextHit(1), N: () => this.nextHit(-1), Escape: () => this.go({ row: -1, cone: "" }, false),
    };
  }

  // On paper the drawing has the width of a page. Nothing is scrolled there: what is in sight is moved up instead.
  print(isOnPaper) {
    const scroller = this.id("scroller");
    document.documentElement.classList.toggle("paper", isOnPaper);
    this.paperTop = null;
    this.show({ isNew: true });
    if (!isOnPaper) return;
    this.paperTop = scroller.scrollTop;
    scroller.scrollTop = 0;
    for (const name of ["grid", "whole"]) this.id(name).style.height = `${scroller.clientHeight - this.id("heads").offsetHeight}px`;
    this.paint();
  }

  follow(row) {
    if (row < 0) this.say("There is none.");
    else this.go({ row });
  }
}

window.page = new Page(document);
