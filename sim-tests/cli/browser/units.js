// Each test tells its name, and what is wrong; nothing where nothing is.
window.told = [];

function test(name, does) {
  let wrong = "";
  try { does(); } catch (error) { wrong = String(error); }
  window.told.push({ name, wrong });
}

function same(found, expected) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${a} instead of ${b}`);
}

// Two columns, three lives, five rows; the fourth is of the third life, and led to by the second.
const HEAD = {
  rows: 5, part: 3, parts: [[100, 300, 0], [300, 900, 2]], kinds: [["gap", "gap"], ["sent", "record"], ["crashed", "fault"]],
  words: [[1, null, "sends record \u0001"], [0, null, "\u0002 events are not kept"], [2, 0, "crashes for ckpt-1"]],
  ids: ["ckpt-1"], lanes: [{ name: "a/0" }, { name: "b/0" }], lives: [[0, "worker-0", 1], [1, "worker-1", 1], [1, "worker-1", 2]],
  metrics: { start: 100, end: 900 },
};
const PARTS = [
  { n: [7], t: [100, 0, 200], l: [1, 2, 1], w: [0, 0, 0], r: [1, 1, 3], p: [0, 0, 0], a: [], d: "000000000000000a000000000000000b" },
  { n: [10, 5000], t: [300, 600], l: [0, 3], w: [1, 2], r: [0, 0], p: [0, 3], a: [5000], d: "" },
];
const texts = { head: JSON.stringify(HEAD), "part-0": JSON.stringify(PARTS[0]), "part-1": JSON.stringify(PARTS[1]) };
const data = new Data((id) => texts[id]);
const rows = [0, 1, 2, 3, 4];

test("columns of a part are decoded", () => {
  same(rows.map((row) => data.number(row)), [7, 8, 9, 10, 5010]);
  same(rows.map((row) => data.at(row)), [100, 100, 300, 300, 900]);
  same(rows.map((row) => data.record(row)), [0, 1, 0, -1, -1]);
  same(rows.map((row) => data.cause(row)), [-1, -1, -1, -1, 1]);
  same(rows.map((row) => data.lane(row)), [0, 1, 0, -1, 1]);
});
test("sentences are filled in", () => {
  same(data.sentence(1), "sends record r-000000000000000b");
  same(data.sentence(1, 4), "sends record r-0000");
  same(data.sentence(3), "5,000 events are not kept");
  same(data.checkpoint(4), "ckpt-1");
});
test("an event is found by its number, and one that is not kept by its gap", () => {
  same([7, 9, 10, 4000, 5010, 9999].map((number) => data.rowOf(number)), [0, 2, 3, 3, 4, 4]);
});
test("the past crosses columns by messages alone", () => {
  const cone = (found) => rows.filter((row) => row >= found.from && row < found.from + found.rows.length && found.has(row));
  same(cone(past(data, 4)), [1, 4]);
  same(cone(future(data, 0)), [0, 2]);
  same(cone(future(data, 1)), [1, 4]);
  same(effects(data, 1), [4]);
});
test("rows stand evenly, or by their time", () => {
  const even = new Scale(data, null, "event", 1);
  same(rows.map((row) => even.y(row)), [21, 43, 65, 87, 109]);
  same([0, 42, 60, 500].map((y) => even.first(y)), [0, 1, 2, 5]);
  const timed = new Scale(data, null, "time", 1);
  same(timed.y(4) - timed.y(3) > timed.y(2) - timed.y(1), true);
  same(timed.y(0), timed.y(1));
  same(timed.first(timed.y(2)), 2);
});
test("a filter leaves places without holes", () => {
  const shown = filtered(data, new Set(["fault"]), new Set([0]));
  same([...shown], [1, 3]);
  const scale = new Scale(data, shown, "event", 1);
  same([scale.index(1), scale.index(2), scale.index(4)], [0, 0, 1]);
  same([scale.isShown(2), scale.isShown(3)], [false, true]);
  same(filtered(data, new Set(), new Set()), null);
});
test("a million rows are no longer than a browser scrolls", () => {
  const scale = new Scale({ ...data, rows: 1e6, head: HEAD }, null, "event", 8);
  same(scale.total <= 12e6 + 20, true);
});
test("a place and its address are the same", () => {
  const place = placeOf("#e=12&c=3&q=ckpt-1+at%3Acount&theme=dark");
  same([place.e, place.c, place.q, place.theme, place.by], ["12", "3", "ckpt-1 at:count", "dark", "event"]);
  same(placeOf(fragmentOf(place)), place);
  same(fragmentOf(START), "#");
  same(placeOf("#e=4", place).q, place.q);
  same(numbersIn("3.1.x.99.1.-2", 10), [3, 1]);
});
test("columns are moved and hidden", () => {
  const columns = (place, room = 400) => new Columns(data, { ...START, ...place }, room);
  same(columns({ order: "1" }).shown, [1, 0]);
  same(columns({ hide: "0" }).shown, [1]);
  same(columns({}).moved(1, -1), "1.0");
  same(columns({ order: "1.0" }).moved(1, 1), "");
  same(columns({ hide: "0" }).toggled(1), "0.1");
  same(columns({ hide: "0" }).x(0), undefined);
  same(columns({}, 100).shown, []);
  same(columns({}).groups(), [["", [0]], ["", [1]]]);
  const three = { ...data, head: { ...HEAD, lanes: ["a/0", "a/1", "log"].map((name) => ({ name, group: name.split("/")[0] })) } };
  same(new Columns(three, START, 400).groups(), [["a", [0, 1]], ["", [2]]]);
});
test("a search asks for all of its words", () => {
  same(found(data, "sends"), [0, 1, 2]);
  same(found(data, "sends at:b"), [1]);
  same(found(data, "kind:crashed"), [4]);
  same(found(data, "ckpt:1"), [4]);
  same(found(data, "r-000000000000000a"), [0, 2]);
  same(found(data, "r-00000000"), [0, 2]);
  same(found(data, "#8"), [1]);
  same(found(data, " "), []);
});
test("a verdict counts what crosses", () => {
  const channel = (flow, records, bytes = null) => ["a->b", 0, 1, 3, 1, 2, 0, flow, records, [], [], bytes];
  const own = (broken, ...channels) => ({ told: true, broken, channels, members: [[0, null, 1]] });
  same(verdict(own(false, channel("empty", 0))).startsWith("A consistent cut with nothing"), true);
  same(verdict(own(false, channel("captured", 1))), "A consistent cut. 1 record was in flight over it, and all in the channel state.");
  same(verdict(own(false, channel("captured", 1, 12), channel("empty", 0))).startsWith("A consistent cut. 1 record (12 bytes) was"), true);
  same(verdict(own(true, channel("orphan", 2), channel("lost", 1))).startsWith("Not consistent: 2 records"), true);
  same(verdict({ ...own(false), members: [[0, null, null]] }), "No cut: 1 of 1 subtasks took no snapshot.");
});
test("numbers are read in groups", () => {
  same([grouped(0), grouped(1234567), plural(1, "hit"), shownTime(1234567890)], ["0", "1,234,567", "1 hit", "1,234.567 ms"]);
});
