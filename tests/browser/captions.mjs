// Plays an entry on the product's page with captions and prints their cues, as JSON.
//
//   node captions.mjs CHROMIUM BASE ENTRY COMBINATION LANGUAGE [FORM]
//
// FORM is that of segments in the MPD (captionsAs); the page itself has no address for them.

import { withBrowser } from "./browser.mjs";

const [chromium, base, entry, combination, language, form] = process.argv.slice(2);
const LIMIT = 30_000; // ms

await withBrowser(chromium, async (browser) => {
  const page = await browser.newPage();
  page.setDefaultTimeout(LIMIT);
  const complaints = [];
  if (form) {
    await page.setRequestInterception(true);
    page.on("request", async (request) => {
      if (!request.url().endsWith("/combinations.js")) return request.continue();
      const rows = await (await fetch(request.url())).text();
      const body = rows.replaceAll("{}/manifest.mpd", `{}/captionsAs/${form}/manifest.mpd`);
      return request.respond({ contentType: "text/javascript", body });
    });
  }
  page.on("pageerror", (error) => complaints.push(error.message));
  const query = new URLSearchParams({ entry, left: combination, right: "none", ahead: 4 });
  await page.goto(`${base}/?${query}`);
  await page.waitForFunction(() => {
    const left = window.headrace?.panels.left;
    return left?.texts().length > 0 && left.video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  });
  const texts = await page.evaluate(() => window.headrace.panels.left.texts());
  await page.evaluate((wanted) => {
    const { left } = window.headrace.panels;
    const choose = () => left.showText(left.texts().find((each) => each.language === wanted).id);
    choose();
    // a player may take cues out again: keep what has been seen
    window.cues = new Map();
    setInterval(() => {
      // chosen while it still loads, Shaka Player may choose again
      const shown = [...left.video.textTracks].find(({ mode }) => mode === "showing");
      if (shown?.language && shown.language !== wanted) choose();
      for (const track of left.video.textTracks) {
        // what a player showed before it was told which
        if (track.mode === "disabled" || (track.language && track.language !== wanted)) continue;
        for (const { startTime, endTime, text } of track.cues ?? []) {
          window.cues.set(`${startTime} ${endTime} ${text}`, [startTime, endTime, text]);
        }
      }
    }, 50);
  }, language);
  const over = () => {
    const { video, errors } = window.headrace.panels.left;
    const paused = video.paused && video.currentTime > video.duration - 0.1;
    return video.ended || paused || errors.some(({ fatal }) => fatal);
  };
  await page.waitForFunction(over, { polling: 50 });
  const found = await page.evaluate(() => {
    const { video, errors } = window.headrace.panels.left;
    return { cues: [...window.cues.values()], errors, started: video.buffered.start(0) };
  });
  console.log(JSON.stringify({ ...found, texts, complaints }));
});
