"""What JupyterLab's widgets lack: names and states for screen readers, and visible handles and focus."""

CLASS = "course-explorer"

# JupyterLab aligns the labels of sliders and buttons differently, draws white handles on white, shows a pressed button
# only by a shade of grey, and makes the focus hard to see. This style corrects all four.
STYLE = f"""<style>
.{CLASS} .widget-toggle-buttons > .widget-label {{text-align: right; margin-right: 8px; flex-shrink: 0}}
.{CLASS} .noUi-handle {{border: 2px solid var(--jp-ui-font-color2)}}
.{CLASS} .mod-active {{box-shadow: inset 0 -3px var(--jp-ui-font-color1) !important}}
.{CLASS} :focus-visible {{outline: 2px solid var(--jp-brand-color1); outline-offset: 2px}}
.{CLASS} .picture {{position: relative; display: inline-block; box-sizing: border-box; max-width: 100%}}
.{CLASS} .picture {{background: white; padding: 6px}}
.{CLASS} .picture img {{display: block; max-width: 100%}}
.{CLASS} .targets {{position: absolute; inset: 6px; width: calc(100% - 12px); height: calc(100% - 12px)}}
.{CLASS} .targets path, .{CLASS} .targets rect {{fill: transparent; stroke: transparent; cursor: pointer}}
.{CLASS} .targets path {{fill: none; stroke-width: 12; pointer-events: stroke}}
.{CLASS} .targets :hover {{stroke: #E69F0099; stroke-width: 6}}
.{CLASS} .targets text {{font-size: 15px; fill: #555}}
.{CLASS} > .announced {{position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)}}
</style>"""

# Runs in the browser once the first picture, `this`, has arrived, and again whenever anything changes. It gives sliders
# and groups of buttons names, says which buttons are pressed, and copies the status into an element that is never
# replaced, because screen readers announce changes within an element, but not a new element.
ACCESS = """
const tell = (root) => {
  const label = (control) => control.querySelector('.widget-label').textContent;
  for (const slider of root.querySelectorAll('.widget-slider'))
    slider.querySelector('.noUi-handle').setAttribute('aria-label', label(slider));
  for (const group of root.querySelectorAll('.widget-toggle-buttons')) {
    group.setAttribute('role', 'group');
    group.setAttribute('aria-label', label(group));
  }
  for (const box of root.querySelectorAll('.named')) {
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', box.firstElementChild.textContent.trim());
  }
  for (const button of root.querySelectorAll('.widget-toggle-button'))
    button.setAttribute('aria-pressed', button.classList.contains('mod-active'));
  for (const status of root.querySelectorAll('p[role=status]')) {
    root.announced.textContent = status.textContent;
    status.removeAttribute('role');
  }
};
const begin = (tries) => {
  const root = this.closest('.CLASS');
  if (!root) return tries && setTimeout(begin, 50, tries - 1);
  if (root.announced) return;
  root.announced = document.createElement('div');
  root.announced.className = 'announced';
  root.announced.setAttribute('role', 'status');
  root.append(root.announced);
  const changes = {subtree: true, childList: true, attributeFilter: ['class']};
  new MutationObserver(() => tell(root)).observe(root, changes);
  tell(root);
};
begin(100);
""".replace("CLASS", CLASS)
