// Every scenario, in one process: `npm run browser:all`, or `node --test browser/`. Each file of scenarios runs alone too.
//
// They play in headless chromium against processes of ringline's that are built from this work tree, so run the client's
// build first. RINGLINE_BIN and NATS_BIN name programs that are built already, RINGLINE_JS another build of the client,
// CHROMIUM another browser, PICTURES a folder for pictures of the page of `ringline dev`.
import "./ci.mjs";
import "./scenarios/more/calls.mjs";
import "./scenarios/more/edge.mjs";
import "./scenarios/more/offline.mjs";
import "./scenarios/more/sessions.mjs";
import "./scenarios/more/tokens.mjs";
