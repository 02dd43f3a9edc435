// What can play what: one row for each protocol and player that the page offers.

export const COMBINATIONS = [
  { name: "hls-ts", label: "HLS, transport stream · hls.js", player: "hls.js", path: "hls/e/{}/master.m3u8" },
  { name: "cmaf-hls-hlsjs", label: "HLS, CMAF · hls.js", player: "hls.js", path: "cmaf/e/{}/master.m3u8" },
  { name: "cmaf-hls-shaka", label: "HLS, CMAF · Shaka Player", player: "shaka", path: "cmaf/e/{}/master.m3u8" },
  { name: "cmaf-dash-shaka", label: "DASH, CMAF · Shaka Player", player: "shaka", path: "cmaf/e/{}/manifest.mpd" },
  { name: "cmaf-dash-dashjs", label: "DASH, CMAF · dash.js", player: "dash.js", path: "cmaf/e/{}/manifest.mpd" },
  { name: "dash-shaka", label: "DASH, fragments · Shaka Player", player: "shaka", path: "dash/e/{}/manifest.mpd" },
  { name: "dash-dashjs", label: "DASH, fragments · dash.js", player: "dash.js", path: "dash/e/{}/manifest.mpd" },
];

export const NONE = "none"; // an empty side

export function address(combination, entry) {
  return new URL(combination.path.replace("{}", encodeURIComponent(entry)), location.origin).href;
}
