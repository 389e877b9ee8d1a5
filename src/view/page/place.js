// Where the reader is: kept in the address, so that a link shows the same place.

const START = { e: "", c: "", by: "event", z: "1", hide: "", order: "", off: "", q: "", cone: "", theme: "" };

// What an address says; what it does not say is as in `before`.
function placeOf(fragment, before = START) {
  const told = new URLSearchParams(fragment.replace(/^#/, ""));
  const place = { ...before };
  for (const key of Object.keys(START)) if (told.has(key)) place[key] = told.get(key);
  return place;
}

// The address of a place: only what differs from where everybody starts.
function fragmentOf(place) {
  const told = new URLSearchParams();
  for (const key of Object.keys(START)) if (place[key] !== START[key]) told.set(key, place[key]);
  return `#${told}`;
}

// Numbers that stand in a list; those that are none, or too large, are left out.
function numbersIn(list, below) {
  const numbers = list.split(".").filter((each) => /^\d+$/.test(each)).map(Number);
  return [...new Set(numbers)].filter((number) => number < below);
}
