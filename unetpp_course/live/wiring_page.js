// The wiring explorer on a page.

import { oneOf } from "./address.js";
import { nodeName, wireName } from "./grid.js";
import { showOnPage } from "./host.js";
import { render } from "./wiring_explorer.js";

const fields = ({ networks, nodes }) => ({
  network: oneOf(networks.map(({ key }) => key)),
  node: oneOf(nodes.map(({ node }) => nodeName(node))),
  switched: wiresOf(nodes),
});

// Wires as in 0,0-0,2;1,1-0,2. The encoder's wires cannot be switched.
function wiresOf(nodes) {
  const names = new Map(nodes.flatMap(({ node, possible }) =>
    possible.filter(() => node[1] > 0).map((source) => [`${source}-${node}`, wireName(source, node)])));
  const texts = new Map([...names].map(([text, name]) => [name, text]));
  const read = (text) => {
    const asked = text ? text.split(";") : [];
    return asked.every((one) => names.has(one)) ? asked.map((one) => names.get(one)).sort() : undefined;
  };
  return { read, write: (wires) => wires.map((name) => texts.get(name)).join(";") };
}

showOnPage(fields, render);
