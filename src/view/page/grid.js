// The events as a table: what the drawing shows, for whoever reads. Only rows in sight are there; their places
// among all are told (aria-rowindex).

const COLUMN_NAMES = ["Event", "Time", "Where", "What"];
// A line of text needs this much.
const TEXT_HEIGHT = 15;
const ROWS_MAX = 400;
// So much of a record's name tells it from others at a glance; the details have all of it.
const DIGITS = 8;

class Grid {
  // `select(row)` is called when somebody chooses a row.
  constructor(element, data, select) {
    this.element = element;
    this.data = data;
    this.kept = new Map();
    element.setAttribute("aria-colcount", String(COLUMN_NAMES.length));
    this.head = tag("div", { role: "row", class: "columnheads aside", "aria-rowindex": "1" },
      COLUMN_NAMES.map((name) => tag("span", { role: "columnheader" }, [name])));
    element.append(this.head);
    element.addEventListener("click", (event) => {
      const row = event.target.closest("[data-row]");
      if (row) select(Number(row.dataset.row));
    });
  }

  // Shows the rows between two heights, all of them moved `up` so far.
  show({ scale, top, height, selected, violated, hits, cones, up }) {
    const rows = this.chosen(scale, top, height, selected);
    this.element.setAttribute("aria-rowcount", String(scale.size + 1));
    const wanted = new Set(rows);
    for (const [row, element] of this.kept) {
      if (!wanted.has(row)) {
        element.remove();
        this.kept.delete(row);
      }
    }
    let before = this.head;
    for (const row of rows) {
      const element = this.kept.get(row) ?? this.made(row);
      // Rows stand in their order, whoever reads them.
      if (before.nextElementSibling !== element) before.after(element);
      before = element;
      this.place(element, row, scale, up);
      element.classList.toggle("selected", row === selected);
      element.classList.toggle("violated", row === violated);
      element.classList.toggle("hit", hits.has(row));
      element.classList.toggle("dim", cones !== null && !(row <= selected ? cones.past.has(row) : cones.future.has(row)));
      element.setAttribute("aria-selected", String(row === selected));
    }
    if (wanted.has(selected)) this.element.setAttribute("aria-activedescendant", `row-${selected}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  // The rows that have room for their words, the selected one before others.
  chosen(scale, top, height, selected) {
    const from = Math.max(scale.first(top) - 2, 0);
    const to = Math.min(scale.first(top + height) + 2, scale.size);
    const step = Math.max(1, Math.floor((to - from) / 20000));
    const held = selected >= 0 && scale.isShown(selected) ? scale.y(selected) : NaN;
    const chosen = [];
    let free = -Infinity;
    for (let index = from; index < to && chosen.length < ROWS_MAX; index += step) {
      const row = scale.row(index);
      const y = scale.y(row);
      const isInTheWay = row !== selected && Math.abs(y - held) < TEXT_HEIGHT;
      if (row === selected || (y >= free && !isInTheWay)) {
        chosen.push(row);
        free = y + TEXT_HEIGHT;
      }
    }
    return chosen;
  }

  made(row) {
    const { data } = this;
    const isGap = data.isGap(row);
    const lane = isGap ? "" : data.head.lanes[data.lane(row)].name;
    const cells = [isGap ? "" : `#${data.number(row)}`, isGap ? "" : shownTime(data.at(row)), lane, data.sentence(row, DIGITS)];
    const names = ["number", "time", "where aside", "what"];
    const element = tag("div", { role: "row", id: `row-${row}`, "data-row": String(row), class: `event ${data.class(row)}` },
      cells.map((cell, index) => tag("span", { role: "gridcell", class: names[index] }, [cell])));
    element.title = `${lane}: ${data.sentence(row)}`.slice(0, 300);
    this.kept.set(row, element);
    return element;
  }

  place(element, row, scale, up) {
    element.style.transform = `translateY(${scale.y(row) - 11 - up}px)`;
    element.setAttribute("aria-rowindex", String(scale.index(row) + 2));
  }

  // Nothing that is there is right any more.
  clear() {
    for (const element of this.kept.values()) element.remove();
    this.kept.clear();
  }
}

// An element with attributes and content; text stays text.
function tag(name, attributes = {}, content = []) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...content.filter((each) => each !== null && each !== undefined));
  return element;
}
