// The parts that every explorer in the browser is made of: elements, and controls with names for screen readers.

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
    const button = element("label", {}, input, element("span", {}, text));
    group.append(button);
    return button;
  };
  options.forEach(([value, text]) => add(value, text));
  const show = (value) => {
    for (const [key, input] of buttons) input.checked = key === value;
  };
  return { row: element("div", { class: "row" }, element("span", { "aria-hidden": "true" }, label), group), add, show };
}

// A row of buttons, each of which is on or off. `show` is given which buttons there are, [value, text, on].
export function switches(onSwitch) {
  const label = element("span", { id: newId("switches") });
  const group = element("div", { class: "choices", role: "group", "aria-labelledby": label.id });
  let there = "";
  const build = (buttons) => {
    group.replaceChildren(...buttons.map(([value, text]) => {
      const input = element("input", { type: "checkbox", value, "data-lm-suppress-shortcuts": "true" });
      input.addEventListener("change", () => onSwitch(value));
      return element("label", {}, input, element("span", {}, text));
    }));
  };
  const show = (words, buttons) => {
    label.textContent = words;
    const now = `${buttons.map(([value]) => value)}`;
    if (now !== there) build(buttons); // otherwise the keyboard would lose its place
    there = now;
    group.querySelectorAll("input").forEach((input, k) => { input.checked = buttons[k][2]; });
  };
  return { row: element("div", { class: "row" }, label, group), show };
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
