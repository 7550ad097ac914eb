// All scenarios in one process: `npm run browser:all`, or `node --test browser/`. Each scenario file also runs alone.
//
// The scenarios run in headless Chromium against ringline processes built from this work tree, so build the client
// first. RINGLINE_BIN and NATS_BIN name existing binaries, RINGLINE_JS another build of the client, CHROMIUM another
// browser, and PICTURES a folder for pictures of the page of `ringline dev`.
import "./ci.mjs";
import "./scenarios/more/calls.mjs";
import "./scenarios/more/edge.mjs";
import "./scenarios/more/offline.mjs";
import "./scenarios/more/sessions.mjs";
import "./scenarios/more/tokens.mjs";
