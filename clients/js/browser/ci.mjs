// The scenarios of every CI run: `npm run browser`.
import "./scenarios/answers.mjs";
import "./scenarios/groups.mjs";
import "./scenarios/devices.mjs";
import "./scenarios/breaks.mjs";
import "./scenarios/sessions.mjs";
import "./scenarios/wake.mjs";
import "./scenarios/transports.mjs";
import "./scenarios/dev.mjs";
import "./scenarios/demo.mjs";
import "./scenarios/ui.mjs";
import "./scenarios/looks.mjs";
