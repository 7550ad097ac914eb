// The same call over each of the fallback transports.
import { deepStrictEqual, ok } from "node:assert/strict";
import { scenario } from "../rig/stage.mjs";
import { talk } from "../rig/talk.mjs";

for (const transport of ["http_stream", "sse"]) {
  scenario(`a call over ${transport}`, async (stage) => {
    const config = { transports: [transport] };
    const [ann, bob] = await Promise.all(["ann", "bob"].map((name) => stage.phone(name, { config })));
    await talk(ann, bob);
    for (const phone of [ann, bob]) {
      deepStrictEqual(phone.attempts, [`/connection/${transport}`]);
      deepStrictEqual(phone.sockets, []);
      ok(phone.urls.includes(`${phone.options.server}/emulation`));
    }
  });
}
