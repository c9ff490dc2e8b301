"""An explorer in the browser, and its twin in this process, which is moved alike and says what must be seen there."""

import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

import ipywidgets as widgets
from explorer_table import Entry, Explorer
from lab_page import OpenNotebook
from playwright.sync_api import Locator, TimeoutError, expect

from unetpp_course.explorers.base import Choice, Number, Press, Slider, Switch
from unetpp_lib.models.graph import Node

SECONDS = 30  # until the page shows what it must
LATE = 800  # milliseconds, after which no other picture is waited for
PAUSE = 100  # milliseconds: a reader looks before pressing the next key; explorers draw ahead meanwhile
expect.set_options(timeout=1000 * SECONDS)

HASH = "(image) => { let h = 0; for (const c of image.src) h = (31 * h + c.charCodeAt(0)) | 0; return h; }"
WATCH = """(root) => {
    window.waits = [];
    let pressed = null;
    document.addEventListener("keydown", () => { pressed = performance.now(); }, true);
    new MutationObserver(async () => {
        const image = root.querySelector("img[alt]"), start = pressed;
        if (!image || start === null) return;
        pressed = null;
        const came = await image.decode().then(() => true, () => false);  // false: replaced meanwhile
        if (came) window.waits.push(performance.now() - start);
    }).observe(root.querySelector(".widget-html-content:has(img)"), {subtree: true, childList: true});
}"""
FOCUS = """([root, share]) => {
    const all = [...root.querySelectorAll("button, input, .noUi-handle")].filter((one) => one.offsetParent);
    const one = all[Math.floor(share * all.length)];
    one.scrollIntoView({block: "nearest"});
    one.focus();
    const box = (one.closest(".slider") || one).getBoundingClientRect();
    return [one.tagName, box.x, box.y, box.width, box.height, Number(one.min), Number(one.max)];
}"""
MIDDLE = """(path) => {
    const middle = path.getPointAtLength(path.getTotalLength() / 2).matrixTransform(path.getScreenCTM());
    return [middle.x, middle.y];
}"""
BOX = "(one) => one.getBoundingClientRect().toJSON()"
KEYS = ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown")


def controls(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    """Yield the controls in the order in which they stand there."""
    if isinstance(widget, Slider | Number | Choice | Switch | Press):
        yield widget
    for child in getattr(widget, "children", ()):
        yield from controls(child)


class ShownExplorer:
    """Moves an explorer in the browser by its controls' names, and compares what is shown with what the twin says."""

    def __init__(self, entry: Entry, notebook: OpenNotebook) -> None:
        self.entry, self.notebook = entry, notebook
        self.page, self.keyboard, self.mouse = notebook.page, notebook.page.keyboard, notebook.page.mouse
        self.twin: Explorer = entry.open()
        self.root = self.page.locator(".jp-OutputArea-output:has(.jupyter-widgets)").last
        self.picture, self.status = self.root.locator("img[alt]"), self.root.get_by_role("status").last
        self.settle()
        self._png, self._hash = self.twin.png, self.picture.evaluate(HASH)

    def controls(self) -> Iterator[widgets.Widget]:
        """Yield the twin's controls, those that come while others are moved too."""
        number = 0
        while number < len(found := list(controls(self.twin))):
            yield found[number]
            number += 1

    def find(self, control: widgets.Widget) -> Locator:
        """Return a control's place in the page, by its name as a screen reader says it."""
        role = {Slider: "slider", Number: "spinbutton", Choice: "group"}.get(type(control), "button")
        # the buttons of a group are not meant where a button of the same name stands alone
        root = self.root.locator(".widget-hbox") if role == "button" else self.root
        return root.get_by_role(role, name=control.description, exact=True)  # type: ignore[arg-type]

    def take_over(self, slider: Slider) -> int:
        """Move the twin's slider to where the page's stands; wait for the picture, and return the value."""
        slider.value = round(float(self.find(slider).get_attribute("aria-valuenow") or "nan"))
        self.settle()
        value: int = slider.value
        return value

    def settle(self) -> None:
        """Wait until the page says what the twin says, and shows another picture where the twin does."""
        expect(self.status, str(self.values())).to_contain_text(self.twin.status)
        if hasattr(self, "_png") and self.twin.png != self._png:
            self.page.wait_for_function(
                f"([root, old]) => ({HASH})(root.querySelector('img[alt]')) !== old",
                arg=[self.root.element_handle(), self._hash],
            )
            self._png, self._hash = self.twin.png, self.picture.evaluate(HASH)

    def values(self) -> dict[str, object]:
        """Return where the twin's controls stand."""
        return {control.description: getattr(control, "value", None) for control in controls(self.twin)}

    def compare(self) -> None:
        """Compare the line of status with the rest of the library."""
        expect(self.status).to_contain_text(self.entry.says(self.twin))

    def press(self, place: Locator, *keys: str) -> None:
        """Press keys on what has a place in the page."""
        place.focus()
        for key in keys:
            self.keyboard.press(key)

    def drag(self, slider: Slider, share: float) -> None:
        """Drag a slider's handle to a share of its way, with the mouse."""
        handle = self.find(slider)
        handle.scroll_into_view_if_needed()
        box = handle.evaluate(BOX)
        way = handle.locator("xpath=ancestor::*[contains(@class, 'noUi-base')]").evaluate(BOX)
        self.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.mouse.down()
        self.mouse.move(way["x"] + share * way["width"], box["y"] + box["height"] / 2, steps=8)
        self.mouse.up()

    def click_wire(self, source: Node, node: Node) -> None:
        """Click the middle of a wire in the picture, as it lies there."""
        wire = ",".join(map(str, (*source, *node)))
        path = self.root.locator(f'.targets path[data-wire="{wire}"]')
        path.scroll_into_view_if_needed()
        self.mouse.click(*path.evaluate(MIDDLE))

    def do_something(self, random: Random) -> None:
        """Press a key, or click, somewhere on the explorer, without waiting for what follows."""
        root = self.root.element_handle()
        tag, x, y, width, height, least, greatest = self.page.evaluate(FOCUS, [root, random.random()])
        if tag == "INPUT":
            self.keyboard.press("ControlOrMeta+a")
            self.keyboard.type(str(random.randint(int(least), int(greatest))))
            self.keyboard.press("Enter")
        elif tag == "BUTTON" and random.random() < 0.5:
            self.keyboard.press(random.choice(["Enter", "Space"]))
        elif tag == "DIV" and random.random() < 0.7:
            self.keyboard.press(random.choice(KEYS))
        else:
            self.mouse.click(x + width * random.random(), y + height / 2)

    def agrees_with_kernel(self) -> bool:
        """Return whether page and kernel come to say the same, three times in a row."""
        last, times, end = "", 0, time.monotonic() + SECONDS
        while times < 3 and time.monotonic() < end:
            said = " ".join(self.notebook.ask("print(explorer.status)").split())
            shown = " ".join((self.status.text_content() or "").split())
            times = times + 1 if said == last and said in shown else 0
            last = said
            self.page.wait_for_timeout(PAUSE)
        return times == 3

    def watch(self) -> None:
        """Begin to note the times from key press to new picture."""
        self.root.evaluate(WATCH)

    def waits(self, control: widgets.Widget, times: int = 5) -> list[float]:
        """Return milliseconds from key press to new picture, of a control moved by the keyboard.

        The twin rests meanwhile: it would take a processor from the kernel.
        """
        place, found = self.find(control), []
        for number in range(times):
            self.page.evaluate("() => { window.waits = []; }")
            if isinstance(control, Slider):
                at_end = control.value == control.max
                self.press(place, "ArrowLeft" if at_end or number % 2 else "ArrowRight")
                self._wait_for_picture()
                self.take_over(control)
            else:
                self.reach_for(control, number)
                self._wait_for_picture()
                self.move_twin(control, number)
            if self.page.evaluate("() => window.waits.length"):
                found.append(self.page.evaluate("() => window.waits[0]"))
            self.page.wait_for_timeout(PAUSE)
        return found

    def _wait_for_picture(self) -> None:
        """Wait until another picture has come, or for as long as none comes any more."""
        with suppress(TimeoutError):
            self.page.wait_for_function("() => window.waits.length", timeout=LATE)

    def activate(self, control: Any, number: int, by_mouse: bool = False) -> None:
        """Choose an option (counted on from the last), or press a button."""
        self.reach_for(control, number, by_mouse)
        self.move_twin(control, number)

    def reach_for(self, control: Any, number: int, by_mouse: bool = False) -> None:
        """Choose an option, or press a button, in the page."""
        place = self.find(control)
        if isinstance(control, Choice):
            place = place.get_by_role("button").nth(number % len(control.options))
        if by_mouse:
            place.click()
        else:
            self.press(place, "Space" if number % 2 else "Enter")

    def move_twin(self, control: Any, number: int) -> None:
        """Do the same with the twin, and wait until the page agrees."""
        if isinstance(control, Choice):
            control.index = number % len(control.options)
        elif isinstance(control, Switch):
            control.value = not control.value
        else:
            control.click()
        self.settle()
