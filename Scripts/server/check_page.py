"""Uses the page of `chatrex serve` in a real browser: chromium and chromium-driver of Debian, selenium of PyPI.

    python3 -m venv .deps/clients && .deps/clients/bin/pip install selenium
    .deps/clients/bin/python Scripts/server/check_page.py .build/release/chatrex Examples/images runs/page

The last argument is a folder for screenshots, which are there to be looked at.
"""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

program, images, shots = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
shots.mkdir(parents=True, exist_ok=True)
downloads = tempfile.mkdtemp()
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]


def serve():
    process = subprocess.Popen([program, "serve", "--port", str(port), "--quiet"], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("listening"), "the server does not start"
    return process


def browse(width, height, dark=False):
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"]:
        options.add_argument(argument)
    if dark:
        options.add_argument("--force-dark-mode")
    options.add_experimental_option("prefs", {"download.default_directory": downloads})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options)
    if dark:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    driver.get(f"http://127.0.0.1:{port}/")
    return driver


def check(name, holds, detail=""):
    print(("ok    " if holds else "FAIL  ") + name, "" if holds else detail)
    check.failures += not holds


check.failures = 0


class Page:
    def __init__(self, driver):
        self.driver = driver

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def wait(self, condition, seconds=60):
        try:
            WebDriverWait(self.driver, seconds).until(lambda _: condition())
            return True
        except Exception:
            return False

    def shoot(self, name):
        self.driver.save_screenshot(str(shots / f"{name}.png"))

    def choose(self, name, value):
        self.one(f"input[name={name}][value={value}] + span").click()

    def upload(self, path):
        self.one("#file").send_keys(str(path))

    def is_idle(self):
        return not self.one("#stop").is_displayed()

    def go(self, text=None):
        if text is not None:
            field = self.one("#text")
            field.clear()
            field.send_keys(text)
        self.one("#send").click()
        time.sleep(0.2)
        return self.wait(self.is_idle, 120)

    def draw(self, start, end):
        svg = self.one("#overlay")
        width, height = svg.size["width"], svg.size["height"]
        at = lambda point: (int((point[0] - 0.5) * width), int((point[1] - 0.5) * height))
        (x0, y0), (x1, y1) = at(start), at(end)
        chain = ActionChains(self.driver).move_to_element_with_offset(svg, x0, y0).click_and_hold()
        chain.move_by_offset((x1 - x0) // 2, (y1 - y0) // 2).move_by_offset(x1 - x0 - (x1 - x0) // 2, y1 - y0 - (y1 - y0) // 2)
        chain.release().perform()


server = serve()
driver = browse(1360, 900)
page = Page(driver)
try:
    check("the page says that the server is ready", page.wait(lambda: page.one("#status").text == "Ready"))
    check("examples are offered", page.wait(lambda: len(page.all("#examples img")) > 0))
    page.shoot("welcome")

    page.upload(images / "pets.jpg")
    check("suggested boxes appear", page.wait(lambda: page.one("#proposal-count").text[:1].isdigit()))
    driver.execute_script("const t=document.getElementById('threshold'); t.value=0.05; t.dispatchEvent(new Event('input'))")
    many = len(page.all("rect.proposal"))
    driver.execute_script("const t=document.getElementById('threshold'); t.value=0.6; t.dispatchEvent(new Event('input'))")
    few = len(page.all("rect.proposal"))
    check("the score slider acts at once", many > few, f"{many} {few}")
    page.choose("grain", "none")
    check("suggested boxes can be hidden", not page.all("rect.proposal"))
    driver.execute_script("const t=document.getElementById('threshold'); t.value=0.25; t.dispatchEvent(new Event('input'))")
    page.choose("grain", "fine")
    page.shoot("proposals")

    check("a detection is answered", page.go("dog; cat; bird"))
    check("the answer names what was asked", "dog" in page.one(".turn .answer").text, page.one(".turn").text)
    page.shoot("detect")

    page.draw((0.2, 0.2), (0.5, 0.6))
    check("a box is drawn", page.wait(lambda: len(page.all("#boxes li")) == 1, 3))
    rect = page.one("rect.given")
    before = rect.get_attribute("x")
    driver.execute_script("arguments[0].focus()", rect)
    ActionChains(driver).send_keys(Keys.ARROW_RIGHT).perform()
    check("an arrow key moves the box", page.one("rect.given").get_attribute("x") != before)
    page.one("#boxes input").send_keys("my box" + Keys.TAB)
    page.all("#boxes button")[1].click()
    check("a box is mentioned in the question", "<obj0>" in page.one("#text").get_property("value"))
    check("a question about the box is answered", page.go("What is <obj0>?"))
    page.shoot("ask")
    page.all("#boxes button")[0].click()
    check("a box is described", page.wait(lambda: page.is_idle() and len(page.all(".regions li")) == 1, 60))
    phrase = page.one(".phrase")
    ActionChains(driver).move_to_element(phrase).perform()
    check("hovering a phrase lights its box", page.wait(lambda: len(page.all("rect.detection.lit")) >= 1, 3))
    page.shoot("hover")
    ActionChains(driver).move_to_element(page.one("h1")).perform()
    driver.execute_script(
        "document.querySelector('rect.detection').dispatchEvent(new PointerEvent('pointerover', {bubbles: true}))")
    check("hovering a box lights its phrase", page.wait(lambda: len(page.all(".phrase.lit")) >= 1, 3))

    for kind in ["json", "coco", "yolo", "label-studio", "png"]:
        page.one(f"#export [data-format={kind}]").click()
        time.sleep(0.4)
    check("answers are saved", page.wait(lambda: len(os.listdir(downloads)) >= 5, 10), str(os.listdir(downloads)))

    big = pathlib.Path(downloads) / "big.jpg"
    big.write_bytes(b"\xff\xd8" + b"0" * (15 << 20))
    page.upload(big)
    check("an oversized file is told in words", page.wait(lambda: "Make it smaller" in page.one("#message").text, 10))
    text = pathlib.Path(downloads) / "broken.png"
    text.write_text("this is no picture")
    page.upload(text)
    check("a broken file is told in words", page.wait(lambda: "cannot show" in page.one("#message").text, 10))
    page.shoot("error")

    server.send_signal(signal.SIGTERM)
    check("SIGTERM ends the server", server.wait(20) == 0, str(server.returncode))
    page.choose("task", "detect")
    page.go("dog")
    check("a server that is gone is told in words", page.wait(lambda: "cannot be reached" in page.one("#message").text, 10))
    page.shoot("gone")
    server = serve()
    check("a server that is back is noticed", page.wait(lambda: page.one("#status").text == "Ready", 20))
    check("and the next question is answered", page.go("dog"))
    policy = [entry["message"] for entry in driver.get_log("browser") if "Content Security Policy" in entry["message"]]
    check("nothing breaks the content security policy", not policy, str(policy[:2]))

    for name, size, dark in [("phone", (390, 844), False), ("dark", (1360, 900), True)]:
        other = browse(*size, dark=dark)
        # A window is never as narrow as a phone; the page may be.
        other.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600})
        small = Page(other)
        small.wait(lambda: len(small.all("#examples img")) > 0)
        small.shoot(f"{name}-welcome")
        small.all("#examples button")[-1].click()
        small.wait(lambda: small.one("#proposal-count").text[:1].isdigit())
        wide = other.execute_script("return document.documentElement.scrollWidth > document.documentElement.clientWidth")
        check(f"{name}: nothing sticks out", not wide)
        small.shoot(name)
        other.quit()
finally:
    driver.quit()
    server.terminate()
sys.exit(1 if check.failures else 0)
