// Chromium with a profile of its own, which is gone afterwards.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import puppeteer from "puppeteer-core";

const FLAGS = [
  "--no-sandbox", // CI runs as root
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

export async function withBrowser(executablePath, use) {
  const userDataDir = fs.mkdtempSync(path.join(os.tmpdir(), "chromium-"));
  try {
    const browser = await puppeteer.launch({
      executablePath, userDataDir, args: FLAGS, headless: true,
    });
    try {
      await use(browser);
    } finally {
      await browser.close();
    }
  } finally {
    fs.rmSync(userDataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}
