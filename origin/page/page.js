// The page: reads what to play, makes both sides, and lists the addresses.
//
//   ?entry=…          instead of the configured one
//   &left=…&right=…   names of combinations, or "none"
//   &ahead=…          seconds to buffer
//
// window.headrace is for tests and the curious: { entry, panels: { left, right } }.

import { COMBINATIONS, NONE, address } from "./combinations.js";
import { Panel } from "./panel.js";

const SIDES = { left: "hls-ts", right: "cmaf-dash-shaka" };
const AHEAD = 12;

performance.setResourceTimingBufferSize(10_000);
start().catch((error) => notify(`The page could not start: ${error.message}`));

async function start() {
  const query = new URLSearchParams(location.search);
  const config = await configuration();
  const entry = query.get("entry") ?? config.entry;
  document.getElementById("entry").textContent = entry ?? "none";
  if (!entry) return notify("No entry to play: name one as ?entry=… in the address.");
  listAddresses(entry);
  if (!config.players) {
    return notify(
      "The players are not installed here, so this page cannot play. `npm ci` in the checkout " +
      "gets them; the addresses below play in any HLS or DASH player.",
    );
  }
  const ahead = Number(query.get("ahead")) || AHEAD;
  const panels = {};
  for (const [side, usual] of Object.entries(SIDES)) {
    panels[side] = new Panel(side, entry, ahead);
    document.getElementById("panels").append(panels[side].element);
    panels[side].open(known(query.get(side)) ?? usual);
  }
  window.headrace = { entry, panels };
}

async function configuration() {
  const response = await fetch("/page/config.json");
  if (!response.ok) throw new Error(`/page/config.json: ${response.status}`);
  return response.json();
}

function known(name) {
  return name === NONE || COMBINATIONS.some((each) => each.name === name) ? name : undefined;
}

function listAddresses(entry) {
  const paths = new Set(COMBINATIONS.map((each) => address(each, entry)));
  for (const path of paths) {
    const link = document.createElement("a");
    link.href = path;
    link.textContent = path;
    const item = document.createElement("li");
    item.append(link);
    document.getElementById("addresses").append(item);
  }
}

function notify(text) {
  const notice = document.getElementById("notice");
  notice.textContent = text;
  notice.hidden = false;
}
