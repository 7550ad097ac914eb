// An edge that dies at the worst time.
import { edgeDies } from "../../rig/edgedies.mjs";
import { scenario } from "../../rig/stage.mjs";
import { until } from "../../rig/until.mjs";

scenario("the edge is killed with an accept that is stored and has no answer yet", async (stage) => {
  const { cluster } = stage;
  await edgeDies(stage, async (edge, ann, bob) => {
    const before = await cluster.stored("RINGLINE_COMMANDS");
    await cluster.coordinator.freeze();
    const accepted = bob.press("accept");
    await until("the accept is stored", async () => (await cluster.stored("RINGLINE_COMMANDS")) > before);
    await edge.kill();
    for (const phone of [ann, bob]) await phone.reachesState(4); // connected again
    cluster.coordinator.thaw();
    await accepted;
  });
});
