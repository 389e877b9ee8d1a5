// The details: the selected checkpoint with what crosses its cut, and the selected event.

const FLOWS = {
  open: () => "no cut at one end",
  empty: () => "nothing",
  captured: (records) => `${grouped(records)} in flight`,
  overtaken: (records) => `${grouped(records)} in flight, not captured yet`,
  lost: (records) => `${grouped(records)} lost`,
  orphan: (records) => plural(records, "orphan"),
  doubled: (records) => `${grouped(records)} counted twice`,
  others: () => "not the same records",
};
const STEPS = ["barrier", "snapshot", "captured", "stored", null, "durable", "acknowledged", "counted", "declined", "learned"];

class Panel {
  // `link(row)` makes an address of a row.
  constructor(element, data, link) {
    this.element = element;
    this.data = data;
    this.link = link;
  }

  show(selected, checkpoint, cones) {
    const parts = [];
    const own = this.data.head.checkpoints[checkpoint];
    if (selected >= 0) parts.push(this.event(selected, cones));
    if (own) parts.push(this.checkpoint(own, selected));
    if (parts.length === 0) parts.push(tag("p", {}, ["Select an event, or a checkpoint."]));
    this.element.replaceChildren(...parts);
  }

  anchor(row, text) {
    if (row === null || row === undefined || row < 0) return "–";
    return tag("a", { href: this.link(row) }, [text ?? `#${this.data.number(row)}`]);
  }

  event(row, cones) {
    const { data } = this;
    if (data.isGap(row)) return tag("section", {}, [tag("h2", {}, ["Not kept"]), tag("p", {}, [data.sentence(row)])]);
    const lane = data.head.lanes[data.lane(row)];
    const turn = data.head.lives[data.life(row)][2];
    const cause = data.cause(row);
    const told = [
      ["Time", shownTime(data.at(row))],
      ["Where", `${lane.name}${lane.subtask ? `, on ${data.process(row)}, attempt ${turn}` : ""}`],
      ["Kind", data.kind(row)[0]],
      ["Checkpoint", data.checkpoint(row)],
      ["Record", data.recordName(data.record(row))],
      ["Because of", cause < 0 ? "" : tag("span", {}, [this.anchor(cause), ` ${data.sentence(cause)}`])],
      ["Led to", this.led(row)],
      ["Cone", cones ? `${plural(cones.past.size - 1, "event")} before it, ${plural(cones.future.size - 1, "event")} after it${cones.past.isCutOff || cones.future.isCutOff ? ", as far as looked at" : ""}` : ""],
    ];
    return tag("section", { id: "event", "aria-live": "polite" }, [
      tag("h2", {}, [`Event #${data.number(row)}`]),
      tag("p", { class: "sentence" }, [data.sentence(row)]),
      described(told),
    ]);
  }

  led(row) {
    const found = effects(this.data, row);
    if (found.length === 0) return "";
    return tag("ul", { class: "plain" }, found.map((each) => tag("li", {}, [this.anchor(each), ` ${this.data.sentence(each)}`])));
  }

  checkpoint(own, selected) {
    return tag("section", { id: "cut", "aria-label": `${own.savepoint ? "Savepoint" : "Checkpoint"} ${own.id}` }, [
      tag("h2", {}, [`${own.savepoint ? "Savepoint" : "Checkpoint"} ${own.id}`]),
      tag("p", { class: own.broken ? "verdict bad" : "verdict" }, [verdict(own)]),
      tag("p", {}, [this.fate(own), own.savepoint ? `; a savepoint: ${own.savepoint}` : "", `; attempt ${own.attempt}.`]),
      this.standing(own, selected),
      this.channels(own),
      this.members(own),
    ]);
  }

  fate(own) {
    const at = (index) => (own.times[index] === null ? "" : ` at ${shownTime(own.times[index])}`);
    const took = own.times[4] === null ? "" : `, after ${shownTime(own.times[4] - own.times[0])}`;
    const began = own.triggered === null ? "Its trigger is not kept" : `Triggered${at(0)}`;
    if (own.end.is === "completed") return tag("span", {}, [`${began}, `, this.anchor(own.end.row, "completed"), took]);
    if (own.end.is === "aborted") return tag("span", {}, [`${began}, `, this.anchor(own.end.row, "aborted"), `${took}: ${own.end.reason}`]);
    return tag("span", {}, [`${began}, pending where the trace ends`]);
  }

  // Who has acknowledged, as of the selected event.
  standing(own, selected) {
    const now = selected < 0 ? Infinity : selected;
    const has = (step) => own.members.filter((member) => member[step] !== null && member[step] <= now).length;
    const where = selected < 0 ? "In all" : "By the selected event";
    const text = `${where}, ${has(2)} of ${own.members.length} subtasks have taken their snapshot, ${has(7)} have acknowledged, ${has(8)} are counted.`;
    return tag("p", { id: "standing", "aria-live": "polite" }, [text]);
  }

  channels(own) {
    if (own.channels.length === 0) return tag("p", {}, ["The job has no channels."]);
    const count = (number) => (number === null ? "–" : grouped(number));
    const rows = [...own.channels].sort((a, b) => b[8] - a[8]).map((channel) => {
      const [name, , , sent, received, captured, putBack, flow, records, , , bytes] = channel;
      const isBad = ["lost", "orphan", "doubled", "others"].includes(flow);
      const state = captured === null ? "–" : `${grouped(captured)}${putBack > 0 ? ` + ${grouped(putBack)} put back` : ""}`;
      const isConcerned = this.data.head.finding?.channel === name;
      return tag("tr", { class: isBad || isConcerned ? "bad" : flow }, [
        tag("th", { scope: "row" }, [name.replace("->", " → ")]),
        tag("td", {}, [count(sent)]),
        tag("td", {}, [count(received)]),
        tag("td", {}, [state]),
        tag("td", { class: "crossing" }, [FLOWS[flow](records), ...this.state(channel)]),
        tag("td", {}, [count(bytes)]),
      ]);
    });
    return tabled("over-the-cut", "In flight over the cut", ["Channel", "Emitted before", "Processed before", "In its state", "Over the cut", "Bytes over the cut"], rows);
  }

  // The records of a channel state.
  state(channel) {
    const records = channel[10];
    if (records.length === 0) return [];
    const rest = channel[5] + channel[6] - records.length;
    const names = records.map((record) => this.data.recordName(record)).join(", ");
    return [tag("details", {}, [tag("summary", {}, ["records"]), tag("code", {}, [names, rest > 0 ? `, and ${plural(rest, "more")}` : ""])])];
  }

  members(own) {
    const steps = STEPS.map((step, index) => [step, index + 1]).filter(([step, index]) =>
      step !== null && (["snapshot", "acknowledged", "counted"].includes(step) || own.members.some((member) => member[index] !== null)));
    const hasBytes = own.members.some((member) => member[5] !== null);
    const rows = own.members.map((member) => tag("tr", {}, [
      tag("th", { scope: "row" }, [this.data.head.lanes[member[0]].name]),
      ...steps.map(([, index]) => tag("td", {}, [this.anchor(member[index])])),
      hasBytes ? tag("td", {}, [member[5] === null ? "–" : grouped(member[5])]) : null,
    ]));
    return tabled("subtasks", "What each subtask did", ["Subtask", ...steps.map(([step]) => step), hasBytes ? "bytes" : null], rows);
  }
}

// What a cut is, in a sentence.
function verdict(own) {
  if (!own.told) return "There are too many checkpoints to tell of this one's cut.";
  const sum = (...flows) => own.channels.filter((channel) => flows.includes(channel[7])).reduce((all, channel) => all + channel[8], 0);
  if (sum("orphan") > 0) return `Not consistent: ${plural(sum("orphan"), "record")} processed before the cut and emitted after it. A restore processes them twice.`;
  if (sum("lost") > 0) return `Not whole: ${plural(sum("lost"), "record")} emitted before the cut, processed after it, and in no channel state. A restore loses them.`;
  if (sum("doubled") > 0) return `${plural(sum("doubled"), "record")} in the channel state that nobody had in flight. A restore processes them twice.`;
  if (own.broken) return "The two ends of a channel do not hold the same records.";
  const missing = own.members.filter((member) => member[2] === null).length;
  if (missing > 0) return `No cut: ${missing} of ${own.members.length} subtasks took no snapshot.`;
  const flight = sum("captured", "overtaken");
  if (flight === 0) return "A consistent cut with nothing in flight: what was emitted before it was processed before it.";
  const bytes = own.channels.reduce((all, channel) => (all === null || channel[8] > 0 && channel[11] === null ? null : all + channel[11]), 0);
  const size = bytes === null ? "" : ` (${plural(bytes, "byte")})`;
  return `A consistent cut. ${plural(flight, "record")}${size} ${flight === 1 ? "was" : "were"} in flight over it, and ${sum("overtaken") > 0 ? "not all captured yet" : "all in the channel state"}.`;
}

function described(told) {
  const pairs = told.filter(([, what]) => what !== "");
  return tag("dl", {}, pairs.flatMap(([name, what]) => [tag("dt", {}, [name]), tag("dd", {}, [what])]));
}

function tabled(id, caption, heads, rows) {
  return tag("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, [tag("table", { id }, [
    tag("caption", {}, [caption]),
    tag("thead", {}, [tag("tr", {}, heads.filter((head) => head !== null).map((head) => tag("th", { scope: "col" }, [head])))]),
    tag("tbody", {}, rows),
  ])]);
}
