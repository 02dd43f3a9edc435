// Plays an entry on the product's page in Chromium and prints what happened, as JSON.
//
//   node drive.mjs CHROMIUM BASE ENTRY COMBINATION SCREENSHOT
//
// First from the start to the end, with one switch of rendition on the way, then with a seek
// into the middle.  Judges nothing: that is the test's part.

import { TimeoutError } from "puppeteer-core";
import { withBrowser } from "./browser.mjs";

const [chromium, base, entry, combination, screenshot] = process.argv.slice(2);
const AHEAD = 4; // seconds to buffer: less than a segment, so that a switch comes with the next
const LIMIT = 30_000; // ms, for anything that the player must do

/** In the page, before its scripts: note where a player puts what it appends. */
function watchAppends() {
  const { appendBuffer } = SourceBuffer.prototype;
  window.sourceBuffers = new Map(); // SourceBuffer -> the timestampOffset of each media append
  SourceBuffer.prototype.appendBuffer = function (data) {
    const offsets = window.sourceBuffers.get(this) ?? [];
    const bytes = new Uint8Array(data.buffer ?? data, data.byteOffset ?? 0, 8);
    const isInit = String.fromCharCode(...bytes.slice(4)) === "ftyp";
    window.sourceBuffers.set(this, isInit ? offsets : [...offsets, this.timestampOffset]);
    return appendBuffer.call(this, data);
  };
}

async function open(browser) {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  await page.evaluateOnNewDocument(watchAppends);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.setViewport({ width: 1100, height: 1300 });
  const query = new URLSearchParams({ entry, left: combination, right: "none", ahead: AHEAD });
  await page.goto(`${base}/?${query}`);
  const notice = () => document.getElementById("notice").textContent;
  await page.waitForFunction(() => window.headrace || document.getElementById("notice").textContent);
  if (!await page.evaluate(() => Boolean(window.headrace))) throw new Error(await page.evaluate(notice));
  await reach(page, 1);
  return { page, complaints };
}

/** Wait until *time* has been played, or the end, a fatal error or the limit: the state tells. */
async function reach(page, time) {
  const there = (until) => {
    const { video, errors } = window.headrace.panels.left;
    const played = video.currentTime >= until && !video.seeking;
    // dash.js sometimes sees the end before the element does, and pauses: no "ended" then
    const paused = video.paused && video.currentTime > video.duration - 0.1;
    return video.ended || paused || played || errors.some(({ fatal }) => fatal);
  };
  const giveUp = (error) => {
    if (!(error instanceof TimeoutError)) throw error;
  };
  await page.waitForFunction(there, { polling: 50 }, time).catch(giveUp);
}

const state = (page) => page.evaluate(() => {
  const ranges = ({ buffered }) => Array.from(
    { length: buffered.length }, (_, n) => [buffered.start(n), buffered.end(n)],
  );
  const sourceBuffers = Array.from(
    window.sourceBuffers, ([each, offsets]) => ({ buffered: ranges(each), offsets }),
  );
  return { ...window.headrace.panels.left.state(), sourceBuffers };
});

async function playThrough(browser) {
  const { page, complaints } = await open(browser);
  const chosen = await page.evaluate(() => {
    const panel = window.headrace.panels.left;
    const renditions = panel.renditions();
    const shown = renditions.find(({ height }) => height === panel.video.videoHeight);
    const other = shown === renditions.at(-1) ? renditions[0] : renditions.at(-1);
    panel.select(other.id);
    return other;
  });
  await reach(page, 3);
  const video = await page.$("video");
  await video.screenshot({ path: screenshot });
  await reach(page, Number.MAX_VALUE);
  await page.screenshot({ path: screenshot.replace(/\.png$/, "-page.png") });
  const found = { ...await state(page), chosen, complaints };
  await page.close();
  return found;
}

async function seekAndPlay(browser) {
  const { page, complaints } = await open(browser);
  await page.click(".middle");
  await reach(page, Number.MAX_VALUE);
  const found = { ...await state(page), complaints };
  await page.close();
  return found;
}

await withBrowser(chromium, async (browser) => {
  const through = await playThrough(browser);
  const sought = await seekAndPlay(browser);
  console.log(JSON.stringify({ through, sought }));
});
