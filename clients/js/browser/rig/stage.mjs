import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { build } from "./build.mjs";
import { Cluster } from "./cluster.mjs";
import { Link } from "./link.mjs";
import { Phone } from "./phone.mjs";
import { throwaway } from "./program.mjs";
import { Site } from "./site.mjs";

const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=document-user-activation-required", // as on a machine with a screen
];

/** The instances that all scenarios of this process share. */
const shared = { idle: [] };

async function setUp() {
  const folder = throwaway();
  shared.bin = await build(folder);
  shared.site = new Site((user) => shared.cluster.mint({ ...user, ttl: Number(user.ttl ?? 3600) }));
  await shared.site.start();
  shared.cluster = new Cluster(shared.bin, folder);
  const parts = await Promise.allSettled([launch(), shared.cluster.start([shared.site.origin])]);
  for (const part of parts) if (part.status === "rejected") throw part.reason;
}

async function launch() {
  shared.browser = await chromium.launch({ executablePath: chromiumPath, args: flags });
}

async function tearDown() {
  setTimeout(() => process.exit(1), 20_000).unref(); // if a child process still runs, which is a failure
  await Promise.all([shared.browser?.close(), shared.cluster?.stop(), shared.site?.stop()]);
}

before(setUp, { timeout: 300_000 });
after(tearDown, { timeout: 20_000 });

/**
 * A test with its own users, phones and links, on the shared cluster and browser. It also fails if a page throws or has
 * a token in a URL, and if a worker logs an error or exits by itself.
 */
export function scenario(name, play, { timeout = 60_000 } = {}) {
  test(name, { timeout }, async (t) => {
    const stage = new Stage(shared);
    let passed = false;
    try {
      await play(stage);
      stage.check();
      passed = true;
    } catch (error) {
      await stage.explain(t);
      throw error;
    } finally {
      await stage.clear(passed);
    }
  });
}

let scenarios = 0;

class Stage {
  phones = [];
  #links = [];
  #contexts = [];
  #reusedPages = [];
  #number = ++scenarios;

  constructor(shared) {
    Object.assign(this, shared);
  }

  /** A user that only this scenario has. */
  user(name, more = {}) {
    return { userID: `${name}-${this.#number}`, userName: name[0].toUpperCase() + name.slice(1), ...more };
  }

  /** `options` are Playwright's: a color scheme, a window size. */
  async newContext(options) {
    const context = await this.browser.newContext(options);
    this.#contexts.push(context);
    return context;
  }

  /**
   * A page in a context of its own. It reuses that of an earlier scenario, because a new one takes most of a second.
   */
  async #ownPage() {
    const page = this.idle.pop() ?? (await (await this.browser.newContext()).newPage());
    this.#reusedPages.push(page);
    return page;
  }

  /** A page on the app's site, without a session. `context` is that of another phone. */
  async page(user, { context } = {}) {
    const phone = this.take(context ? await context.newPage() : await this.#ownPage(), user);
    await phone.open(this.site.origin);
    if (!context) await phone.forget();
    return phone;
  }

  /** Makes a page a phone. */
  take(page, user) {
    const phone = new Phone(page, user);
    this.phones.push(phone);
    return phone;
  }

  /** The init options of a phone for the first edge. `ttl` is that of the token. All others go to init. */
  options(user, { server = this.cluster.edges[0].url, ttl, ...more } = {}) {
    return { server, token: this.cluster.mint({ ...user, ttl }), ...more };
  }

  /** A connected phone. */
  async phone(name, { context, ...options } = {}) {
    const user = typeof name === "string" ? this.user(name) : name;
    const phone = await this.page(user, { context });
    await phone.init(this.options(user, options));
    return phone;
  }

  /** Several phones, each in a context of its own. */
  async phonesOf(...names) {
    return Promise.all(names.map((name) => this.phone(name)));
  }

  /** A link to the first edge that can be cut. */
  async link() {
    const link = new Link(this.cluster.edges[0].url);
    await link.start();
    this.#links.push(link);
    return link;
  }

  check() {
    const problems = [...this.cluster.takeProblems(), ...this.phones.flatMap((phone) => phone.problems)];
    if (problems.length > 0) throw new Error(problems.join("\n"));
  }

  /** Prints what every phone received, for debugging. */
  async explain(t) {
    for (const phone of this.phones) {
      const received = await phone.received().catch((error) => error.message);
      t.diagnostic(`${phone.id} ${phone.device}: ${JSON.stringify(received)} ${phone.errors.join(" ")}`);
    }
    for (const problem of this.cluster.takeProblems()) t.diagnostic(problem);
  }

  async clear(passed) {
    for (const phone of this.phones) phone.drop();
    await Promise.all(this.#reusedPages.map((page) => (passed ? this.#returnPage(page) : page.context().close())));
    await Promise.all(this.#contexts.map((context) => context.close()));
    await Promise.all(this.#links.map((link) => link.stop()));
    await this.cluster.restore();
  }

  async #returnPage(page) {
    for (const other of page.context().pages()) if (other !== page) await other.close();
    await page.goto("about:blank");
    this.idle.push(page);
  }
}
