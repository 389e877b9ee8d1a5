// Which columns there are, in which order, and how wide each is.

// Columns that have less than this together have little room.
const NARROW = 280;

class Columns {
  constructor(data, place, room) {
    const lanes = data.head.lanes;
    this.lanes = lanes;
    this.hidden = new Set(numbersIn(place.hide, lanes.length));
    const named = numbersIn(place.order, lanes.length);
    const rest = lanes.map((_, lane) => lane).filter((lane) => !named.includes(lane));
    this.order = [...named, ...rest];
    // Where there is little room, stores and workers have rows but no column.
    const isNarrow = room < NARROW;
    const isWanted = (lane) => !isNarrow || lanes[lane].subtask || lanes[lane].name === "coordinator";
    this.shown = this.order.filter((lane) => !this.hidden.has(lane) && isWanted(lane));
    this.spacing = Math.round(Math.min(Math.max(room / Math.max(this.shown.length, 1), isNarrow ? 26 : 30), 104));
    this.places = new Map(this.shown.map((lane, index) => [lane, index]));
    this.width = this.spacing * this.shown.length;
  }

  // The middle of a column; none where it is hidden.
  x(lane) {
    const place = this.places.get(lane);
    return place === undefined ? undefined : (place + 0.5) * this.spacing;
  }

  // Columns that stand side by side and are of one operator, with its name; others each by itself, without.
  groups() {
    const groups = [];
    for (const lane of this.shown) {
      const { name, group } = this.lanes[lane];
      const own = name.startsWith(`${group}/`) ? group : "";
      const last = groups[groups.length - 1];
      if (own !== "" && last?.[0] === own) last[1].push(lane);
      else groups.push([own, [lane]]);
    }
    return groups;
  }

  // The same columns with one of them moved.
  moved(lane, by) {
    const order = [...this.order];
    const from = order.indexOf(lane);
    const to = Math.min(Math.max(from + by, 0), order.length - 1);
    order.splice(to, 0, ...order.splice(from, 1));
    return order.every((each, index) => each === index) ? "" : order.join(".");
  }

  // The same columns with one of them hidden, or shown again.
  toggled(lane) {
    const hidden = new Set(this.hidden);
    if (!hidden.delete(lane)) hidden.add(lane);
    return [...hidden].sort((a, b) => a - b).join(".");
  }
}
