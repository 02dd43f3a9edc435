// Opens a page and prints what it says, as JSON.
//
//   node look.mjs CHROMIUM URL

import { withBrowser } from "./browser.mjs";

const [chromium, url] = process.argv.slice(2);

await withBrowser(chromium, async (browser) => {
  const page = await browser.newPage();
  const failed = [];
  page.on("pageerror", (error) => failed.push(error.message));
  page.on("response", (response) => response.status() >= 400 && failed.push(response.url()));
  await page.goto(url, { waitUntil: "networkidle0" });
  const found = await page.evaluate(() => ({
    notice: document.getElementById("notice").textContent,
    entry: document.getElementById("entry").textContent,
    links: Array.from(document.querySelectorAll("#addresses a"), ({ pathname }) => pathname),
    panels: document.querySelectorAll(".panel").length,
    // every address that the page itself, not a player, has named
    foreign: performance.getEntriesByType("resource")
      .map(({ name }) => name).filter((name) => /^https?:/.test(name) && !name.startsWith(location.origin)),
  }));
  console.log(JSON.stringify({ ...found, failed }));
});
