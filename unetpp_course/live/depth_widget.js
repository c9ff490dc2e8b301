// The pruning explorer as a widget: what anywidget looks for in a module.

import { render } from "./depth_explorer.js";

export default { render };
