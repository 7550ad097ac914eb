// The entry point of dist/ringline.js: one file for a script element, with the one global Ringline.
import { Ringline } from "./kit/kit.js";
import { defineElements } from "./ui/define.js";

(globalThis as { Ringline?: typeof Ringline }).Ringline = Ringline;
defineElements(); // so that elements in the page work before init
