// What an explorer shows: pictures with words for screen readers, a legend, a table, and the frame around all of it.

import { COLOURS } from "./paint.js";
import { element, shape } from "./shell.js";

// A picture under its caption, a canvas or an SVG drawing. `tell` sets the caption, and the words for people who cannot
// see the picture.
export function picture(tag, kind = "") {
  const make = tag === "svg" ? shape : element;
  const view = make(tag, { role: "img", class: kind });
  const caption = element("figcaption");
  const tell = (words, description = words) => {
    caption.textContent = words;
    view.setAttribute("aria-label", description);
  };
  return { figure: element("figure", { class: `of ${kind}` }, caption, view), view, tell };
}

// A part that is scrolled sideways where the page is narrow, also with the keyboard.
export function scrolling(label, ...children) {
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, ...children);
}

// The whole of an explorer: rows of controls, then figures, then the rest.
export function frame(controls, figures, rest) {
  const root = element("div", { class: "unetpp-live" },
    element("div", { class: "controls" }, ...controls), element("div", { class: "views" }, ...figures), ...rest);
  // otherwise JupyterLab takes the arrow keys for shortcuts of its own
  for (const control of root.querySelectorAll("input, button, [tabindex]")) {
    control.setAttribute("data-lm-suppress-shortcuts", "true");
  }
  return root;
}

// How each `of` of a score is called, where the classes 0 and 1 are called so.
export function classNames([zero, one]) {
  return { background: zero, foreground: one, classes: "both classes" };
}

export function imagesInWords(number) {
  return `${number} ${number === 1 ? "image" : "images"}`;
}

// What the colours of a prediction mean, with the pixels of each where they are counted. `saying` are the words after a
// class that is right and before what a wrong one should be, where there is no truth.
export function fillLegend(list, [zero, one], counts, saying) {
  const words = saying
    ? [`${one}${saying[0]}`, `${zero}${saying[0]}`, `${zero}${saying[1]}${one}`, `${one}${saying[1]}${zero}`]
    : [`${one} found (true positive)`, `${zero} found (true negative)`,
      `${one} called ${zero} (false negative)`, `${zero} called ${one} (false positive)`];
  const cells = [[1, 1], [0, 0], [1, 0], [0, 1]];
  list.replaceChildren(...cells.map(([truth, called], k) => {
    const count = counts ? `${counts[truth][called].toLocaleString("en")} pixels` : "";
    const patch = element("span", { class: "patch", style: `background: ${COLOURS[truth][called]}` });
    return element("li", {}, patch, element("span", {}, `${words[k]}${count && ": "}`, element("b", {}, count)));
  }));
}

export function fillTable(table, head, rows, chosen) {
  const line = (cells, tag) =>
    element("tr", {}, ...cells.map((text, k) => element(k ? tag : "th", k ? {} : { scope: "row" }, text)));
  const top = element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => line(cells, "td"));
  body[chosen]?.setAttribute("aria-current", "true");
  table.replaceChildren(element("thead", {}, top), element("tbody", {}, ...body));
}
