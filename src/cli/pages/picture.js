"use strict";
// Pictures whose parts have titles: pointing at one, or going to it with arrow keys, tells its title below.
for (const picture of document.querySelectorAll(".picture")) {
  const told = picture.nextElementSibling;
  const box = (part) => part.getBoundingClientRect();
  const parts = [...picture.querySelectorAll("title")].map((title) => title.parentElement);
  let now = null;
  const go = (part) => {
    if (!part) return;
    now?.classList.remove("at");
    now = part;
    now.classList.add("at");
    told.textContent = part.querySelector("title").textContent;
  };
  // The nearest part on that side: what is off the line counts thrice.
  const nearest = (dx, dy) => {
    if (!now) return parts[0];
    const from = box(now);
    const cost = (part) => {
      const [x, y] = [box(part).x - from.x, box(part).y - from.y];
      const along = x * dx + y * dy;
      return along <= 1 ? Infinity : along + 3 * Math.abs(x * dy) + 3 * Math.abs(y * dx);
    };
    const [best] = parts.map((part) => [cost(part), part]).sort((a, b) => a[0] - b[0]);
    return best[0] === Infinity ? null : best[1];
  };
  const sides = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  picture.addEventListener("mouseover", (event) => go(parts.find((part) => part.contains(event.target))));
  picture.addEventListener("keydown", (event) => {
    if (!(event.key in sides)) return;
    event.preventDefault();
    go(nearest(...sides[event.key]));
    now?.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}
