"""Looks at a gallery in a real browser, from its file: chromium and chromium-driver of Debian, selenium of PyPI.

    python3 -m venv .deps/clients && .deps/clients/bin/pip install selenium
    .deps/clients/bin/python Scripts/engine/check_gallery.py runs/engine/gallery runs/page

The last argument is a folder for screenshots, which are there to be looked at.
"""

import pathlib
import sys

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

page, shots = pathlib.Path(sys.argv[1]).resolve() / "index.html", pathlib.Path(sys.argv[2])
shots.mkdir(parents=True, exist_ok=True)
failures = 0


def browse(width, height, dark=False):
    options = webdriver.ChromeOptions()
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--window-size={width},{height}"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options)
    if dark:
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    driver.get(page.as_uri())
    return driver


def check(name, holds, detail=""):
    global failures
    print(("ok    " if holds else "FAIL  ") + name, "" if holds else detail)
    failures += not holds


def shown(driver):
    return [s for s in driver.find_elements(By.CSS_SELECTOR, ".sample") if s.is_displayed()]


driver = browse(1360, 900)
all_samples = shown(driver)
check("samples are shown", len(all_samples) > 0)
check("the first picture is there", driver.execute_script("return document.querySelector('img').naturalWidth") > 0)
driver.save_screenshot(str(shots / "gallery.png"))

phrase = driver.find_element(By.CSS_SELECTOR, ".sample .phrase")
ActionChains(driver).move_to_element(phrase).perform()
wanted = set(phrase.get_attribute("data-r").split())
lit = driver.find_elements(By.CSS_SELECTOR, ".box.lit")
check("a phrase lights its boxes", {b.get_attribute("data-r") for b in lit} == wanted, [b.get_attribute("data-r") for b in lit])
check("a lit box shows its name", all(b.find_element(By.CSS_SELECTOR, "b").is_displayed() for b in lit))
driver.save_screenshot(str(shots / "gallery-phrase.png"))

ActionChains(driver).move_to_element(driver.find_element(By.TAG_NAME, "h1")).perform()
region = driver.find_elements(By.CSS_SELECTOR, ".sample .region")[-1]
driver.execute_script("arguments[0].focus()", region)
check("a region that has the focus is lit with its box", len(driver.find_elements(By.CSS_SELECTOR, ".region.lit")) == 1
      and len(driver.find_elements(By.CSS_SELECTOR, ".box.lit")) == 1)
driver.switch_to.active_element.send_keys(Keys.ESCAPE)
check("Escape puts the light out", not driver.find_elements(By.CSS_SELECTOR, ".lit"))

select = Select(driver.find_element(By.ID, "category"))
name = select.options[-1].get_attribute("value")
expected = int(select.options[-1].text.rsplit("(", 1)[1].rstrip(")"))
select.select_by_value(name)
check("a category filters", len(shown(driver)) == expected, f"{len(shown(driver))} instead of {expected}")
select.select_by_value("")
words = driver.find_element(By.ID, "words")
words.send_keys("no such word at all")
check("a word that nobody uses finds nothing, and says so", not shown(driver) and driver.find_element(By.ID, "none").is_displayed())
words.clear()
words.send_keys(phrase.get_attribute("textContent").split()[-1].upper())
check("a word finds its picture, whatever its case", 0 < len(shown(driver)) <= len(all_samples))
words.send_keys(Keys.ENTER)
check("Enter stays on the page", driver.current_url == page.as_uri(), driver.current_url)
unnamed = driver.execute_script(
    "return [...document.querySelectorAll('input,select,img')].filter(e => !(e.labels && e.labels.length) && !e.alt).length")
check("fields and pictures have names", unnamed == 0, unnamed)
loud = [entry for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
check("nothing is complained of", not loud, loud[:3])
driver.quit()

driver = browse(1360, 900, dark=True)
ActionChains(driver).move_to_element(driver.find_element(By.CSS_SELECTOR, ".sample .region")).perform()
driver.save_screenshot(str(shots / "gallery-dark.png"))
driver.quit()

driver = browse(420, 900)
width = driver.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
check("a narrow window does not scroll sideways", width[0] <= width[1], width)
driver.save_screenshot(str(shots / "gallery-narrow.png"))
driver.quit()
sys.exit(failures > 0)
