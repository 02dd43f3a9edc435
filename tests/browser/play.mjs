// Plays an entry on the product's page to its end and prints what happened, as JSON.
//
//   node play.mjs CHROMIUM BASE ENTRY COMBINATION

import { TimeoutError } from "puppeteer-core";
import { withBrowser } from "./browser.mjs";

const [chromium, base, entry, combination] = process.argv.slice(2);
const AHEAD = 4; // seconds to buffer
const RATE = 2; // times as fast as it is meant to be seen
const LIMIT = 30_000; // ms

await withBrowser(chromium, async (browser) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  const query = new URLSearchParams({ entry, left: combination, right: "none", ahead: AHEAD });
  await page.goto(`${base}/?${query}`);
  await page.waitForFunction(() => window.headrace);
  const there = (rate) => {
    const { video, errors } = window.headrace.panels.left;
    video.playbackRate = rate;
    const over = video.ended || (video.paused && video.currentTime > video.duration - 0.1);
    return over || errors.some(({ fatal }) => fatal);
  };
  await page.waitForFunction(there, { polling: 50 }, RATE).catch((error) => {
    if (!(error instanceof TimeoutError)) throw error; // the state tells
  });
  const state = await page.evaluate(() => {
    const { left } = window.headrace.panels;
    const { webkitAudioDecodedByteCount: sound } = left.video;
    return { ...left.state(), sound };
  });
  console.log(JSON.stringify({ ...state, complaints }));
});
