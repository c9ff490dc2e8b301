// The parts that every explorer in the browser is made of: elements, controls with names for screen readers, a table.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// An element of a drawing.
export function shape(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

let lastNumber = 0;
export function newId(stem) {
  lastNumber += 1;
  return `${stem}-${lastNumber}`;
}

// A slider for whole numbers with its value beside it. `words` says the value for people who cannot see the slider.
export function slider(label, min, max, onInput, words = (value) => `${value}`) {
  const id = newId("slider");
  const input = element("input", { type: "range", id, min, max, step: 1 });
  const output = element("span", { class: "value", "aria-hidden": "true" }); // the slider itself says it
  input.addEventListener("input", () => onInput(Number(input.value)));
  const show = (value) => {
    input.value = value;
    input.setAttribute("aria-valuetext", words(value));
    output.textContent = words(value);
  };
  return { row: element("div", { class: "row" }, element("label", { for: id }, label), input, output), input, show };
}

// A group of radio buttons, drawn as a row of buttons; one of them is chosen.
export function choices(label, options, onChoose) {
  const name = newId("choice");
  const group = element("div", { class: "choices", role: "radiogroup", "aria-label": label });
  const buttons = new Map();
  const add = (value, text) => {
    const input = element("input", { type: "radio", name, value });
    input.addEventListener("change", () => onChoose(value));
    buttons.set(value, input);
    group.append(element("label", {}, input, element("span", {}, text)));
  };
  options.forEach(([value, text]) => add(value, text));
  const show = (value) => {
    for (const [key, input] of buttons) input.checked = key === value;
  };
  return { row: element("div", { class: "row" }, element("span", { "aria-hidden": "true" }, label), group), add, show };
}

// A line of news that screen readers read aloud; what changes quickly is only read once it has come to rest.
export function statusLine() {
  const seen = element("p", { class: "status" });
  const heard = element("p", { class: "heard", role: "status" });
  let waiting = 0;
  const say = (words) => {
    if (seen.textContent === words) return;
    seen.textContent = words;
    clearTimeout(waiting);
    waiting = setTimeout(() => { heard.textContent = words; }, 400);
  };
  return { parts: [seen, heard], say };
}

export function fillTable(table, head, rows, chosen) {
  const line = (cells, tag) =>
    element("tr", {}, ...cells.map((text, k) => element(k ? tag : "th", k ? {} : { scope: "row" }, text)));
  const top = element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)));
  const body = rows.map((cells) => line(cells, "td"));
  body[chosen]?.setAttribute("aria-current", "true");
  table.replaceChildren(element("thead", {}, top), element("tbody", {}, ...body));
}
